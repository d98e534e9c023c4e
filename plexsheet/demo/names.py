"""Words that the names of the demo library are made of; all fictional."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|" if "|" in text else " "))


ADJECTIVES = _words(
    "Amber Ashen Autumn Bitter Borrowed Brass Broken Copper Crimson Distant Drowsy Electric "
    "Empty Fading Feral Gentle Gilded Glass Golden Hollow Idle Ivory Kindly Lonely Lucid Marble "
    "Midnight Northern Pale Paper Patient Quiet Restless Rusted Salted Scarlet Secret Silver "
    "Sleeping Slow Southern Spare Stolen Sudden Tender Velvet Wandering Waxen Wild Winter"
)
NOUNS = _words(
    "Anchor Antler Arcade Atlas Avenue Beacon Bell Birch Bridge Canal Candle Carousel "
    "Cartographer Cathedral Cinder Comet Compass Corridor Delta Ember Engine Envelope Ferry "
    "Foghorn Fountain Gardener Harbour Heron Horizon Island Kettle Ladder Lantern Lighthouse "
    "Locksmith Magnet Meadow Metronome Mirror Monsoon Orchard Parade Pendulum Postcard Quarry "
    "Radio Railway Rain River Satellite Season Shoreline Signal Snowfall Sparrow Station "
    "Telescope Thunder Tide Umbrella Valley Viaduct Weather Window Wolf"
)
VERBS = _words(
    "Borrow Break Burn Carry Catch Chase Count Cross Draw Find Follow Forget Hold Keep Know "
    "Leave Lose Make Mend Miss Paint Read Save Send Shake Steal Trade Turn Want Write"
)
PLACES = _words(
    "Alder Street|the Blue Room|Cobalt Hall|the Old Ferry|Harrow Park|the Lantern Club|Marlow|"
    "the Orchard|Port Elgin|Quayside|the Salt Works|Tern Island|Verdant Square|Windmill Lane"
)
FIRST_NAMES = _words(
    "Ada Anselm Beatrix Caleb Delia Edda Emil Fenna Gideon Hanne Ines Ivo Jonas Juno Kasimir "
    "Lena Linus Mara Milo Nadia Odile Otto Petra Quinn Rafa Ronja Silas Sunniva Tadeo Thea "
    "Ursel Vera Wilma Yara Zeno Ósk"
)
SYLLABLES = _words(
    "bel bran cal dor el fen gar hal is jor kel lan mar nor ol per quil ros sel tam ul var wen "
    "yor zan thi"
)
ENDINGS = _words("ard berg dale ström ley quist ner son ter vale wick well ina ovic ún")

GENRES: tuple[tuple[str, ...], ...] = (
    ("Pop/Rock",),
    ("Pop/Rock", "Indie Rock"),
    ("Electronic",),
    ("Electronic", "Ambient", "Downtempo"),
    ("Folk",),
    ("Folk", "Singer/Songwriter", "Americana"),
    ("Jazz",),
    ("Jazz", "Fusion"),
    ("R&B", "Soul"),
    ("Rap", "Hip Hop"),
    ("Metal", "Progressive Metal", "Post-Metal"),
    ("Classical",),
    ("Country",),
    ("Reggae", "Dub"),
)
MOODS = _words(
    "Aggressive Autumnal Bittersweet Brooding Calm/Peaceful Cathartic Cheerful Dreamy Driving "
    "Earnest Energetic Ethereal Gentle Intimate Lively Melancholy Nocturnal Playful Reflective "
    "Rousing Sparse Warm Wistful Yearning"
)
STUDIOS = _words(
    "Bell Jar Records|Cobble & Co.|Driftless|Foghorn Music|Hand Made Sound|Kite Society|"
    "Left Bank|Nine Doors|Paper Lantern|Rook Recordings|Slow Post|Tidewater"
)
COUNTRIES = _words(
    "Belgium|Canada|Chile|France|Germany|Iceland|Ireland|Japan|Netherlands|Norway|Spain|"
    "Sweden|United Kingdom|United States of America"
)
