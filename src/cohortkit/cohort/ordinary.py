"""Ordinary words, in which a reason is told: beside them, who is called so is not looked for. Pure.

Nearly every word is somebody's name in a large archive. One that the trade has everywhere names
nobody however it is written; another ordinary one may where it is written as names are, with a
capital.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pydicom._dicom_dict import DicomDictionary

from cohortkit.recipe.text import shipped
from cohortkit.traces.spellings import ORDINARY, fold, plain, words_in

_GRAMMAR: Final = frozenset(
    """
    a about above across after again against all almost already also although an and another any are
    as at be because been before behind being below beneath beside besides between beyond both but
    by can cannot could did do does done during each either else enough etc even ever every few
    fewer for from had has have having he hence her here hers him his how however i if in inside
    instead into is it its just least less many maybe me more most much must my near neither never
    no nobody none nor not nothing now of often on once one only onto or other others our out
    outside over perhaps rather same several shall she should since so some somebody something soon
    still such than that the their them then there these they this those though through thus to too
    toward towards two under unless until up upon us very via was we were what when where whether
    which while who whole whom whose why with within without would yes yet you your
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""They join what is said, and name nobody in any spelling."""

_ENGLISH: Final = frozenset(
    """
    ability able absence absent accept acceptable accepted access according account accuracy
    acquired action active actual adapted added addition additional adequate adjacent adjusted
    admission admitted adolescent adult advance affected age aged ages agreed agreement aim
    allocated allow allowed alone alternative amount analysed analysis analyzed annotated annotation
    answer apart appear appendix applied apply appointment appropriate approval approve approved
    april archive archived arm around arrived artefact artefacts article artifact artifacts asked
    assessed assessment assigned association attempt august autumn available average avoid away back
    bad balanced band based baseline beam become began begin behalf belong benefit best better
    biased big billing bit bits black blank blind blinded block blocked blood blue blurred board
    book border born bottom bound box breath bright broken brought brown budget build built bulk
    burned calculated calibrated call called cancelled candidate capture care careful carried case
    cases cause caused cautious cell centre certain chance change changed changes check checked
    checking choice choose chosen class classes clean cleaned clear clearly clinical close closed
    coarse code coded codes coil cold collected collection colour column combined come comment
    common compare compared comparison complete completed completely complex compliant compressed
    computed concern conclusion condition conditions confirmed conflict confounding consecutive
    consensus consent consented considered consistent contact contain contained contains continued
    convention cooperate copied copies copy core correct corrected corrupt corrupted cost count
    counted couple course cover coverage covered create created criteria criterion critical cross
    cut cuts daily damaged dark data dataset date dates day days dead death december decided
    decision declined deep default defect defined degraded delay delayed deleted delivered demand
    denied department depth described design desired destroyed detail detailed details detected
    deviation diagnosed diagnosis differ difference different difficult direct disagreed discarded
    disease diseased distance distinct distorted document documented dominant double doubled doubt
    doubtful down draft drawn drift drop dropped dual due duplicate duplicated duplicates duration
    earlier earliest early easy edge edited effect effort eight eighteen elderly elective eleven
    eligible embargo emergency empty end ended ends enrolled entire entry equal equipment erroneous
    error errors especially essential ethics evaluated evening event events evidence exact examined
    example exceed exceeded exceeds except exception excluded excludes exclusion exist existing
    expected experiment expert expired explained export exported external extra extracted extreme
    fact fail failed fails failure fair fall false far fast faster fault faulty favour feasible
    feature february fell field fifteen fifty figure file files fill filled filter final finally
    find finding findings fine finished first fit five fixed flat flawed folder follow followed
    following follows foreign forgotten form formal format former forty found four fourth frame
    frames free frequent fresh friday front full fully further future gap gaps gave general get give
    given gives goes gold gone good got grade gray great green grey ground group groups grown guess
    guideline half halves hard heavy held help high higher highest hold holds home homogeneous
    hospital hour hours huge human hundred ignored ill image images imaging impaired implant
    implanted implants implausible important imported impossible improper inability inactive
    inadequate incidental include included includes inclusion incomplete inconsistent incorrect
    independent index indicated indication individual ineligible inferior information informed
    initial initially injected inpatient inpatients insufficient integrity intended interest
    internal interrupted interval invalid invasive investigated involved irregular irrelevant
    isolated issue issues item items january job joined journal july june justified keep kept key
    kind kinds know known label labelled labels lack lacking lacks large larger largest last late
    later latest law leads learning leave leaves leaving left legacy legal length let letter level
    levels licence lies light like likely limit limited limits line lines list listed lists little
    local locked long longer longest look looked loss lost low lower lowest made main major majority
    make makes making male manual manually march mark marked marker match matched matches matching
    material matter matters maximum may mean meaning means measured measurement median medical meet
    meets member men merged met metadata metal method middle might minimal minimum minor minors
    minute minutes mislabelled mismatch missed missing mistake mistaken mixed mode model modified
    moment monday month monthly months morning motion moved movement moving multicentre multiple
    named names narrow national nature nearest nearly necessary need needed needs negative neutral
    new newer newest next night nine noise noisy nominal nonadherent normal northern noted notes
    notice november number numbers numerous object objected objects observed obsolete obtained
    obvious occasion occasional october odd off offered office old older oldest omitted ongoing
    online open opened operated opinion opposite opted option optional opts order ordered orders
    organ organs original otherwise outcome outcomes outdated outlier outliers outpatient
    outpatients overall overlap overlapping oversized overwritten own owner page pages paid pair
    paired pairs panel paper parameter parameters part partial partially parts party past patch path
    people per perfect performed period permission permitted person personal phase pilot place
    placed plain plan planned plausible play please plus point points policy pool poor poorly
    population portable position positive possible possibly post postponed power practice preceding
    preferred pregnancy pregnant preliminary preparation prepared presence present preset pressure
    presumed previous previously primary principal prior private probable probably problem problems
    procedure process processed processing produced project prolonged proper properly proposed
    prospective protected protocol protocols proved provided public published pure purpose quality
    quarter quarterly question questionable queue quick quite random randomised randomized range
    ranges rare rarely rate rater raters ratio raw reach reached read reader readers reading reads
    ready real really reason reasons recent recently recipe recognised record recorded records red
    redone reduced reference referral referred refusal refuse refused region registered registry
    regular rejected related relation relative release released relevant reliable remain remaining
    remains removed repair repeat repeated repeats replaced report reported reports request
    requested required requirement rescan rescanned rescans research reserved resolution resource
    respective rest restricted result results retained retrospective return returned reused review
    reviewed reviewer reviewers reviews revised revoked rich right rights risk road rough round row
    rows rule ruled rules run runs safe safety said saturated saturday saved saw say says scan
    scanned scanner scanners scanning scans scheduled science scope score scored scores scoring
    screened screening search season second secondary seconds section see seen segment segmentation
    segmented select selected selection send senior sense sent separate september sequence sequences
    serial series serious served session set sets setting settings seven seventy severe sex shape
    share shared sharp shift shifted short shorter shortest shot show showed shown shows side sides
    signal signed significant silent similar simple simply simulated single sister site sites
    situation six sixty size sizes skipped slice slices slight slightly slow small smaller smallest
    software sort sorted sought source sources space spaced spacing special specific specified split
    spoiled spring staff stage stages standard start started starts state stated states status stay
    steady step steps stopped storage stored strange stratified stray strict strong studied studies
    study subject subjects subset substantial successful sufficient suitable summer sunday
    superseded supplied supply support supposed sure surgery surgical suspect suspected suspicious
    system systems table tables tagged take taken task tasks technical technically technique
    technologist temporary ten terminated test tested testing tests text thick thicker thickness
    thin thing things think thinner third thirty thorough thought thousand three threshold
    thresholds thursday tight time times tiny title together token told tool tools top topic total
    touch trained training transferred treated treatment trial tried true truncated trusted try
    tuesday turn turned twelve twenty twice twin type types typical unable uncertain unchanged
    unclear understood unequal unfinished unfit unit units unknown unlabelled unlike unlikely
    unpaired unread unreadable unrelated unreliable unsuitable unusable unused unusual unwanted
    update updated upper urgent usable usage use used useful useless user uses using usual usually
    valid validated validation value values variable variant variants various vendor verified
    version versions view views visible visit visits visual volume volumes volunteers vulnerable
    wait waived waiver wanted warm warned washed waste water way weak wednesday week weekly weeks
    weight weighted well went white wide wider will winter wish wished withdraw withdrawal
    withdrawals withdrawn withdrew woman women word words work worked works worse worst worth
    written wrong year years yield young younger youngest zero zone
    """.split()  # noqa: SIM905 - the same
)
"""Words of ordinary reasons, as sentences have them: in small letters."""


_LABELS: Final = frozenset(
    """
    active acute alive benign borderline censored chronic complete control cystic deceased
    definite discordant concordant equivocal event ex extensive external followup follow former
    held heldout holdout fold healthy heterogeneous i ii iii iv v vi vii viii ix x indeterminate
    internal invasive localised localized malignant metastatic methylated mild mixed moderate
    mutant never nonresponder none partial present prior progressive quit recurrent refractory
    relapse relapsed remission responder responders smoker solid stable subacute subsolid
    suspicious trivial unmethylated val wildtype
    """.split()  # noqa: SIM905 - the same
)
"""Words of gradings, outcomes and splits, in which labels are told beside those of the trade."""


def of_labels(folded: str) -> bool:
    """Whether a folded word grades, parts or judges; a letter alone is a grade, too."""
    return folded in _LABELS or (len(folded) == 1 and folded.isascii())


def of_the_trade(text: str) -> bool:
    """Whether all words of a folded text are of the trade: alone they name nobody."""
    return all(word in ORDINARY or word in _dictionary() for word in words_in(text))


def is_english(folded: str) -> bool:
    """Whether a folded word is one of English or of the trade; a name that is one has no forms."""
    return any(folded in words for words in (_ENGLISH, shipped().single, _dictionary()))


def is_ordinary(word: str) -> bool:
    """Whether a word, as it was written, says something and names nobody."""
    folded = plain(fold(word))
    forms = {folded, folded.removesuffix("s")}
    if forms & ORDINARY or forms & _GRAMMAR:
        return True
    return word.islower() and any(map(is_english, forms))


@cache
def _dictionary() -> frozenset[str]:
    """The words of the data dictionary (PS3.6)."""
    names = (entry[2] for entry in DicomDictionary.values())
    return frozenset(word for name in names for word in words_in(fold(name)))
