from . import (
    checks as checks,
)
from . import (
    figures as figures,
)
from .architectures import (
    compare_architectures as compare_architectures,
)
from .architectures import (
    experts_touched as experts_touched,
)
from .architectures import (
    weights_gb as weights_gb,
)
from .catalog import (
    Accelerator as Accelerator,
)
from .catalog import (
    Site as Site,
)
from .catalog import (
    accelerator as accelerator,
)
from .catalog import (
    country_g_per_kwh as country_g_per_kwh,
)
from .catalog import (
    dictionary as dictionary,
)
from .catalog import (
    site as site,
)
from .catalog import (
    table as table,
)
from .checks import (
    AlignmentError as AlignmentError,
)
from .checks import (
    ArgumentError as ArgumentError,
)
from .checks import (
    ArgumentTypeError as ArgumentTypeError,
)
from .checks import (
    DataError as DataError,
)
from .checks import (
    GreenlibError as GreenlibError,
)
from .checks import (
    UnknownNameError as UnknownNameError,
)
from .claims import (
    Claim as Claim,
)
from .claims import (
    ClaimError as ClaimError,
)
from .claims import (
    Prediction as Prediction,
)
from .claims import (
    claim as claim,
)
from .claims import (
    prediction as prediction,
)
from .compression import (
    adapter_params as adapter_params,
)
from .compression import (
    bits_per_weight as bits_per_weight,
)
from .compression import (
    break_even_uses as break_even_uses,
)
from .compression import (
    distillation_flops as distillation_flops,
)
from .compression import (
    finetuning_flops as finetuning_flops,
)
from .compression import (
    saving as saving,
)
from .figures import house_style as house_style
from .footprint import (
    Footprint as Footprint,
)
from .footprint import (
    accelerator_hours as accelerator_hours,
)
from .footprint import (
    embodied_kg as embodied_kg,
)
from .footprint import (
    emissions_kg as emissions_kg,
)
from .footprint import (
    facility_kwh as facility_kwh,
)
from .footprint import (
    footprint as footprint,
)
from .footprint import (
    inference_flops as inference_flops,
)
from .footprint import (
    it_kwh as it_kwh,
)
from .footprint import (
    training_flops as training_flops,
)
from .footprint import (
    water_l as water_l,
)
from .rebound import (
    annual_growth as annual_growth,
)
from .rebound import (
    break_even_elasticity as break_even_elasticity,
)
from .rebound import (
    energy_ratio as energy_ratio,
)
from .rebound import (
    rebound_fraction as rebound_fraction,
)
from .rebound import (
    scaled_energy_ratio as scaled_energy_ratio,
)
from .rebound import (
    uses_under_cap as uses_under_cap,
)
from .regions import (
    rank_sites as rank_sites,
)
from .regions import (
    recommend_region as recommend_region,
)
from .uncertainty import (
    Interval80 as Interval80,
)
from .uncertainty import (
    interval as interval,
)
from .uncertainty import (
    probability_better as probability_better,
)
from .uncertainty import (
    samples as samples,
)
from .uncertainty import (
    tornado as tornado,
)
from .tracking import (
    Measurement as Measurement,
    SinkError as SinkError,
    TrackingError as TrackingError,
    csv_sink as csv_sink,
    idle_power_w as idle_power_w,
    repeat as repeat,
    track as track,
)
