"""The Trakt catalogue of the demo library: shows with the length of their seasons, and movies.

Air dates of episodes that an AniList title stands on come from that title (`demo.py`); this file holds the rest.
Ids and lengths follow Trakt and TMDB as far as they are known; where a demonstration needs a certain shape (an
airing show, a list that lags), the shape is made up.
"""

from __future__ import annotations

from dataclasses import dataclass

from webapp.simulator.catalogue import Movie

Special = tuple[int, str, str | None]  # number, title, first aired


@dataclass(frozen=True, slots=True)
class ShowFacts:
    """Seasons as (number, first episode number, last episode number)."""

    trakt_id: int
    slug: str
    title: str
    year: int
    tvdb: int
    tmdb: int
    imdb: str
    seasons: tuple[tuple[int, int, int], ...]
    specials: tuple[Special, ...] = ()
    ended: bool = True


def _plain(*lengths: int) -> tuple[tuple[int, int, int], ...]:
    return tuple((number, 1, length) for number, length in enumerate(lengths, start=1))


# Trakt numbers One Piece through: its second season begins with episode 62.
_ONE_PIECE_ENDS = (
    61, 77, 91, 130, 143, 195, 228, 263, 336, 381, 407, 421, 458, 516, 578, 628, 746, 782, 891, 1085, 1155,
)  # fmt: skip
_ONE_PIECE = tuple(
    (number, 1 if number == 1 else _ONE_PIECE_ENDS[number - 2] + 1, end)
    for number, end in enumerate(_ONE_PIECE_ENDS, start=1)
)

SHOWS: tuple[ShowFacts, ...] = (
    ShowFacts(30857, "cowboy-bebop", "Cowboy Bebop", 1998, 76885, 30991, "tt0213338", _plain(26), ((1, "Mish-Mash Blues", "1998-06-26"),)),
    ShowFacts(31771, "fullmetal-alchemist-brotherhood", "Fullmetal Alchemist: Brotherhood", 2009, 85249, 31911, "tt1355642", _plain(64)),
    ShowFacts(885, "neon-genesis-evangelion", "Neon Genesis Evangelion", 1995, 70350, 890, "tt0112159", _plain(26)),
    ShowFacts(190742, "spy-x-family", "SPY x FAMILY", 2022, 405920, 120089, "tt13706018", _plain(25, 12, 13), ended=False),
    ShowFacts(
        1420, "attack-on-titan", "Attack on Titan", 2013, 267440, 1429, "tt2560140", _plain(25, 12, 22, 30),
        (
            *((n, f"Chibi Theater: Fly, Cadets, Fly! #{n}", None) for n in range(1, 15)),
            (15, "No Regrets: Part One", "2014-12-09"),
            (16, "No Regrets: Part Two", "2015-04-09"),
            *((n, f"Special {n}", None) for n in range(17, 24)),
        ),
    ),
    ShowFacts(158594, "jujutsu-kaisen", "Jujutsu Kaisen", 2020, 377543, 95479, "tt12343534", _plain(49), ((1, "Juju Stroll", None),), ended=False),
    ShowFacts(74325, "fate-zero", "Fate/Zero", 2011, 275798, 45845, "tt2051178", _plain(13, 12)),
    ShowFacts(104310, "re-zero-starting-life-in-another-world", "Re:ZERO -Starting Life in Another World-", 2016, 305089, 65942, "tt5607616", _plain(66), tuple((n, f"Break Time {n}", None) for n in range(1, 12)), ended=False),
    ShowFacts(131598, "demon-slayer-kimetsu-no-yaiba", "Demon Slayer: Kimetsu no Yaiba", 2019, 348545, 85937, "tt9335498", _plain(26, 7, 11, 11, 8), ended=False),
    ShowFacts(61405, "toradora", "Toradora!", 2008, 83277, 42916, "tt1279024", _plain(25), (*((n, f"Toradora SOS! {n}", None) for n in range(1, 5)), (5, "Toradora Recap", None), (6, "The True Meaning of Bento", "2011-12-21"))),
    ShowFacts(97548, "one-punch-man", "One-Punch Man", 2015, 293088, 63926, "tt4508902", _plain(12, 12, 12), tuple((n, f"Special {n}", None) for n in range(1, 16)), ended=False),
    ShowFacts(37696, "one-piece", "One Piece", 1999, 81797, 37854, "tt0388629", _ONE_PIECE, ((1, "Luffy's Fall", None),), ended=False),
    ShowFacts(64409, "hunter-x-hunter-2011", "Hunter x Hunter", 2011, 252322, 46298, "tt2098220", _plain(58, 78, 12)),
    ShowFacts(13855, "death-note", "Death Note", 2006, 79481, 13916, "tt0877057", _plain(37), ((1, "Re-Light: Visions of a God", "2007-08-31"),)),
    ShowFacts(173241, "chainsaw-man", "Chainsaw Man", 2022, 397934, 114410, "tt13616990", _plain(12)),
    ShowFacts(120989, "violet-evergarden", "Violet Evergarden", 2018, 330139, 75214, "tt7078180", _plain(13), ((1, "Special", "2018-07-04"),)),
    ShowFacts(60947, "k-on", "K-ON!", 2009, 87501, 42253, "tt1410218", _plain(13, 26)),
    ShowFacts(131158, "the-promised-neverland", "The Promised Neverland", 2019, 348002, 83097, "tt8788458", _plain(12, 11)),
    ShowFacts(121959, "black-clover", "Black Clover", 2017, 331753, 73223, "tt7441658", _plain(170)),
    ShowFacts(60417, "haikyu", "Haikyu!!", 2014, 278157, 60863, "tt3398540", _plain(25, 25, 10, 25)),
    ShowFacts(121326, "laid-back-camp", "Laid-Back Camp", 2018, 330692, 76075, "tt8196880", _plain(12, 13, 12)),
    ShowFacts(97142, "prison-school", "Prison School", 2015, 293267, 64706, "tt4684710", _plain(12)),
    ShowFacts(30847, "monster", "Monster", 2004, 74599, 30981, "tt0434706", _plain(74)),
    ShowFacts(198225, "frieren-beyond-journey-s-end", "Frieren: Beyond Journey's End", 2023, 424536, 209867, "tt22248376", _plain(38), ended=False),
    ShowFacts(196794, "shangri-la-frontier", "Shangri-La Frontier", 2023, 421855, 205050, "tt28776190", _plain(50), ended=False),
    # Never watched: it only shares its TMDB number with a movie.
    ShowFacts(700001, "the-number-twins", "The Number Twins", 2004, 799001, 149, "tt9900001", _plain(6)),
)  # fmt: skip

MOVIES: tuple[Movie, ...] = (
    Movie(224301, "your-name-2016", "Your Name.", 2016, 372058, "tt5311514", "2016-08-26", 106, ("Kimi no Na wa.",)),
    Movie(97, "spirited-away-2001", "Spirited Away", 2001, 129, "tt0245429", "2001-07-20", 125, ("Sen to Chihiro no Kamikakushi",)),
    Movie(225063, "a-silent-voice-the-movie-2016", "A Silent Voice: The Movie", 2016, 378064, "tt5323662", "2016-09-17", 130, ("Koe no Katachi",)),
    Movie(115, "akira-1988", "Akira", 1988, 149, "tt0094625", "1988-07-16", 124),
    Movie(5440, "pokemon-the-first-movie-1998", "Pokémon: The First Movie", 1998, 10228, "tt0190641", "1998-07-18", 85),
    Movie(644629, "jujutsu-kaisen-0-2021", "Jujutsu Kaisen 0", 2021, 810693, "tt14331144", "2021-12-24", 105),
    Movie(474745, "demon-slayer-kimetsu-no-yaiba-the-movie-mugen-train-2020", "Demon Slayer -Kimetsu no Yaiba- The Movie: Mugen Train", 2020, 635302, "tt11032374", "2020-10-16", 117),
    Movie(1040555, "demon-slayer-kimetsu-no-yaiba-infinity-castle-2025", "Demon Slayer: Kimetsu no Yaiba Infinity Castle", 2025, 1311031, "tt32820897", "2025-07-18", 155),
    Movie(454758, "violet-evergarden-eternity-and-the-auto-memory-doll-2019", "Violet Evergarden: Eternity and the Auto Memory Doll", 2019, 610892, "tt10477558", "2019-09-06", 91),
    Movie(1039876, "chainsaw-man-the-movie-reze-arc-2025", "Chainsaw Man - The Movie: Reze Arc", 2025, 1218925, "tt30472557", "2025-09-19", 100),
    # Never watched: a longer title that text search also finds, and a number that a show on the list has too.
    Movie(1040999, "demon-slayer-kimetsu-no-yaiba-infinity-castle-the-making-of-2025", "Demon Slayer: Kimetsu no Yaiba Infinity Castle - The Making Of", 2025, 1399999, None, "2025-08-01", 40),
    Movie(700002, "the-other-1429-1999", "The Other 1429", 1999, 1429, "tt9900002", "1999-05-05", 90),
)  # fmt: skip


# What airs when the simulator starts: anilist id -> (first episode of the schedule, last aired, last). The next
# episode is always five days away.
AIRING = {182255: (1, 6, 10), 172463: (1, 3, 12), 21: (1150, 1155, 1159)}
