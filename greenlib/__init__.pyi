from . import (
    calibration as calibration,
    checks as checks,
    disclosure as disclosure,
    feeds as feeds,
    figures as figures,
    labs as labs,
)
from .architectures import (
    compare_architectures as compare_architectures,
    experts_touched as experts_touched,
    weights_gb as weights_gb,
)
from .catalog import (
    Accelerator as Accelerator,
    Site as Site,
    accelerator as accelerator,
    country_g_per_kwh as country_g_per_kwh,
    dictionary as dictionary,
    overdue_rows as overdue_rows,
    site as site,
    table as table,
)
from .checks import (
    AlignmentError as AlignmentError,
    ArgumentError as ArgumentError,
    ArgumentTypeError as ArgumentTypeError,
    DataError as DataError,
    GreenlibError as GreenlibError,
    UnknownNameError as UnknownNameError,
)
from .claims import (
    Claim as Claim,
    ClaimError as ClaimError,
    Prediction as Prediction,
    claim as claim,
    prediction as prediction,
)
from .compression import (
    adapter_params as adapter_params,
    bits_per_weight as bits_per_weight,
    break_even_uses as break_even_uses,
    distillation_flops as distillation_flops,
    finetuning_flops as finetuning_flops,
    saving as saving,
)
from .disclosure import (
    Disclosure as Disclosure,
    disclose as disclose,
)
from .figures import house_style as house_style
from .fleet import (
    Fleet as Fleet,
    service_kg as service_kg,
    size_fleet as size_fleet,
)
from .footprint import (
    Footprint as Footprint,
    accelerator_hours as accelerator_hours,
    embodied_kg as embodied_kg,
    emissions_kg as emissions_kg,
    facility_kwh as facility_kwh,
    footprint as footprint,
    inference_flops as inference_flops,
    it_kwh as it_kwh,
    training_flops as training_flops,
    water_l as water_l,
)
from .journal import (
    predictions as predictions,
)
from .pareto import pareto_front as pareto_front
from .power import (
    energy_ladder as energy_ladder,
    power_rungs as power_rungs,
)
from .rebound import (
    annual_growth as annual_growth,
    break_even_elasticity as break_even_elasticity,
    energy_ratio as energy_ratio,
    rebound_fraction as rebound_fraction,
    scaled_energy_ratio as scaled_energy_ratio,
    uses_under_cap as uses_under_cap,
)
from .regions import (
    LimitCost as LimitCost,
    cost_of_limit as cost_of_limit,
    great_circle_km as great_circle_km,
    rank_sites as rank_sites,
    recommend_region as recommend_region,
    round_trip_ms as round_trip_ms,
)
from .schedule import (
    BestStart as BestStart,
    CheapestHours as CheapestHours,
    backtest as backtest,
    best_start as best_start,
    cheapest_hours as cheapest_hours,
    hour_of as hour_of,
    year_of_hours as year_of_hours,
)
from .serving import (
    joules_per_token as joules_per_token,
    serving_constants as serving_constants,
    serving_step as serving_step,
)
from .sinks import (
    StoreError as StoreError,
    csv_sink as csv_sink,
    mlflow_runs as mlflow_runs,
    mlflow_sink as mlflow_sink,
    wandb_sink as wandb_sink,
)
from .tracking import (
    Measurement as Measurement,
    SinkError as SinkError,
    TrackingError as TrackingError,
    idle_power_w as idle_power_w,
    repeat as repeat,
    runs_to_tell_apart as runs_to_tell_apart,
    track as track,
)
from .training import (
    TrainingPlan as TrainingPlan,
    plan_training as plan_training,
    typical_mfu as typical_mfu,
)
from .uncertainty import (
    Interval80 as Interval80,
    MeanInterval as MeanInterval,
    Samples as Samples,
    interval as interval,
    mean_interval as mean_interval,
    probability_better as probability_better,
    samples as samples,
    tornado as tornado,
)
