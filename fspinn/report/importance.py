"""Which settings decide how accurate networks are? Optuna's answer, from the trials of a search."""

from collections.abc import Mapping
from typing import Any

from fspinn.base.settings import settings_of
from fspinn.network.setup import Setup
from fspinn.search.sampling import quiet_optuna

LEAST_NETWORKS = 10
"""Trained networks from which shares say something (fspinn)."""

TREES_SEED = 0


def importances(answer: Mapping[str, Any]) -> dict[str, float]:
    """Return the share of each setting in how far accuracies of trained networks differ, largest first.

    The shares are those of Optuna's fANOVA (Hutter, Hoos and Leyton-Brown 2014): of a forest of trees that
    was fitted to the accuracies, the variance that a setting explains alone. Of the variants of a network the
    most accurate one counts.

    Parameters
    ----------
    answer : mapping
        As `fspinn.search.SearchResult.as_dict` gives it.

    Returns
    -------
    dict of str to float
        Empty with less than `LEAST_NETWORKS` networks, or if all are equally accurate.
    """
    best: dict[tuple[Any, ...], tuple[dict[str, Any], float]] = {}
    for trial in answer["trials"]:
        if trial["accuracy"] is None:
            continue
        settings = {"neurons": trial["neurons"], **trial["settings"]}
        key = tuple(sorted((name, str(value)) for name, value in settings.items()))
        if key not in best or trial["accuracy"] > best[key][1]:
            best[key] = settings, trial["accuracy"]
    networks = list(best.values())
    if len(networks) < LEAST_NETWORKS or len({accuracy for _, accuracy in networks}) == 1:
        return {}
    with quiet_optuna():
        return _shares(networks)


def _shares(networks: list[tuple[dict[str, Any], float]]) -> dict[str, float]:
    import optuna

    given = settings_of(Setup())  # what a trial does not name
    names = sorted({name for settings, _ in networks for name in settings})
    values = {name: [settings.get(name, given.get(name)) for settings, _ in networks] for name in names}
    distributions = {
        name: _distribution(seen) for name, seen in values.items() if len({str(one) for one in seen}) > 1
    }
    study = optuna.create_study(direction="maximize")
    for number, (_, accuracy) in enumerate(networks):
        params = {name: _plain(values[name][number], how) for name, how in distributions.items()}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=accuracy))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=TREES_SEED)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))


def _distribution(seen: list[Any]) -> Any:
    import optuna

    if all(isinstance(one, int | float) and not isinstance(one, bool) for one in seen):
        return optuna.distributions.FloatDistribution(float(min(seen)), float(max(seen)))
    return optuna.distributions.CategoricalDistribution(sorted({str(one) for one in seen}))


def _plain(value: Any, distribution: Any) -> Any:
    return str(value) if hasattr(distribution, "choices") else float(value)
