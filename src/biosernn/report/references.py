"""What the report rests on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """A work and where it is found; an empty address where it has none."""

    text: str
    label: str = ""
    address: str = ""


def _doi(text: str, doi: str) -> Reference:
    return Reference(text, f"doi {doi}", f"https://doi.org/{doi}")


def _arxiv(text: str, number: str) -> Reference:
    return Reference(text, f"arXiv {number}", f"https://arxiv.org/abs/{number}")


REFERENCES: dict[str, Reference] = {
    "seed": Reference(
        "Shakiba, Rokni & Mohammadi (supervisor Dehghani). Neuro-constrained Bio-inspired "
        "Recurrent Neural Network (the seed study)."
    ),
    "follow_up": _arxiv("The same group. The follow-up to the seed study.", "2606.14975"),
    "code": _doi("The follow-up’s code and data (MIT).", "10.5281/zenodo.20834365"),
    "sernn": _doi(
        "Achterberg et al. 2023. Spatially embedded recurrent neural networks reveal widespread "
        "links between structural and functional neuroscience findings. Nature Machine "
        "Intelligence 5, 1369–1381.",
        "10.1038/s42256-023-00748-9",
    ),
    "microns": _doi(
        "The MICrONS Consortium 2025. Functional connectomics spanning multiple areas of mouse "
        "visual cortex. Nature 640, 435–447.",
        "10.1038/s41586-025-08790-w",
    ),
    "sttc": _doi(
        "Cutts & Eglen 2014. Detecting pairwise correlations in spike trains. Journal of "
        "Neuroscience 34, 14288–14303.",
        "10.1523/JNEUROSCI.2767-14.2014",
    ),
    "communicability": _doi(
        "Crofts & Higham 2009. A weighted communicability measure applied to complex brain "
        "networks. Journal of the Royal Society Interface 6, 411–414.",
        "10.1098/rsif.2008.0484",
    ),
    "identity": _arxiv(
        "Le, Jaitly & Hinton 2015. A simple way to initialize recurrent networks of rectified "
        "linear units.",
        "1504.00941",
    ),
    "clipping": _arxiv(
        "Pascanu, Mikolov & Bengio 2013. On the difficulty of training recurrent neural networks.",
        "1211.5063",
    ),
    "adam": _arxiv("Kingma & Ba 2015. Adam: a method for stochastic optimization.", "1412.6980"),
    "newcombe": _doi(
        "Newcombe 1998. Improved confidence intervals for the difference between binomial "
        "proportions based on paired data. Statistics in Medicine 17, 2635–2650.",
        "10.1002/(SICI)1097-0258(19981130)17:22<2635::AID-SIM954>3.0.CO;2-C",
    ),
    "hartigan": _doi(
        "Hartigan 1969. Using subsample values as typical values. Journal of the American "
        "Statistical Association 64, 1303–1317.",
        "10.1080/01621459.1969.10501057",
    ),
    "efron": _doi(
        "Efron 1987. Better bootstrap confidence intervals. Journal of the American Statistical "
        "Association 82, 171–185.",
        "10.1080/01621459.1987.10478410",
    ),
    "kaplan_meier": _doi(
        "Kaplan & Meier 1958. Nonparametric estimation from incomplete observations. Journal of "
        "the American Statistical Association 53, 457–481.",
        "10.1080/01621459.1958.10501452",
    ),
    "mcnemar": _doi(
        "McNemar 1947. Note on the sampling error of the difference between correlated "
        "proportions or percentages. Psychometrika 12, 153–157.",
        "10.1007/BF02295996",
    ),
    "holm": Reference(
        "Holm 1979. A simple sequentially rejective multiple test procedure. Scandinavian "
        "Journal of Statistics 6, 65–70."
    ),
}
