"""The AniList titles of the demo library: facts about them, where they truly stand on Trakt, and what the files say.

`at` is the truth: (first, last, season, number) spans written down by hand from the catalogue, not computed by the
mapping. `tvdb_at` and `tmdb_at` are what the mapping files say (season, offset), and they are wrong or missing in the
ways that the real files are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Title:
    """One AniList title. `show` and `movie` are Trakt ids; `start` and `end` as YYYY-MM-DD."""

    id: int
    format: str
    episodes: int | None
    romaji: str
    english: str | None
    native: str | None
    start: str | None
    end: str | None = None
    minutes: int = 24
    mal: int | None = None
    anidb: int | None = None
    show: int | None = None
    movie: int | None = None
    at: tuple[tuple[int, int, int, int], ...] = ()
    tvdb_at: tuple[int | Literal["a"], int] | None = None
    tmdb_at: tuple[int, int] | None = None
    part: int = 1
    otaku_trakt: int | None = None
    mapped: bool = True  # the mapping files know its ids
    in_files: bool = True  # the mapping files have a row for it
    counted: int | None = None  # the length that Otaku knows, where AniList does not
    xml_pairs: tuple[tuple[str, int, int, str], ...] = ()
    synonyms: tuple[str, ...] = ()
    tmdb_tv: int | None = None  # an id that Trakt does not list
    color: str = "#5c6b7a"


def _season(length: int, season: int, number: int = 1) -> tuple[tuple[int, int, int, int], ...]:
    return ((1, length, season, number),)


TITLES: tuple[Title, ...] = (
    # Plain series
    Title(1, "TV", 26, "Cowboy Bebop", "Cowboy Bebop", "カウボーイビバップ", "1998-04-03", "1999-04-24", 24, 1, 23, 30857, at=_season(26, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=30857, color="#e4a15d"),
    Title(5114, "TV", 64, "Hagane no Renkinjutsushi: FULLMETAL ALCHEMIST", "Fullmetal Alchemist: Brotherhood", "鋼の錬金術師 FULLMETAL ALCHEMIST", "2009-04-05", "2010-07-04", 24, 5114, 6107, 31771, at=_season(64, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=31771, synonyms=("FMAB",), color="#e4bb50"),
    Title(30, "TV", 26, "Shin Seiki Evangelion", "Neon Genesis Evangelion", "新世紀エヴァンゲリオン", "1995-10-04", "1996-03-27", 24, 30, 22, 885, at=_season(26, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=885, synonyms=("NGE",), color="#a15de4"),
    Title(1535, "TV", 37, "DEATH NOTE", "Death Note", "デスノート", "2006-10-04", "2007-06-27", 23, 1535, 4563, 13855, at=_season(37, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=13855, color="#c9c9c9"),
    Title(5680, "TV", 13, "K-ON!", "K-ON!", "けいおん!", "2009-04-03", "2009-06-26", 24, 5680, 6257, 60947, at=_season(13, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=60947, color="#f1c9ae"),
    Title(127230, "TV", 12, "Chainsaw Man", "Chainsaw Man", "チェンソーマン", "2022-10-12", "2022-12-28", 24, 44511, 15914, 173241, at=_season(12, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=173241, color="#e45d35"),
    Title(21827, "TV", 13, "Violet Evergarden", "Violet Evergarden", "ヴァイオレット・エヴァーガーデン", "2018-01-11", "2018-04-05", 24, 33352, 12138, 120989, at=_season(13, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=120989, color="#5da1e4"),
    Title(101759, "TV", 12, "Yakusoku no Neverland", "The Promised Neverland", "約束のネバーランド", "2019-01-11", "2019-03-29", 22, 37779, 14051, 131158, at=_season(12, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=131158, color="#93c950"),
    Title(97940, "TV", 170, "Black Clover", "Black Clover", "ブラッククローバー", "2017-10-03", "2021-03-30", 23, 34572, 12665, 121959, at=_season(170, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=121959, color="#35a143"),
    Title(98444, "TV", 12, "Yuru Camp△", "Laid-Back Camp", "ゆるキャン△", "2018-01-04", "2018-03-22", 24, 34798, 12743, 121326, at=_season(12, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=121326, color="#e4c95d"),
    Title(20807, "TV", 12, "Kangoku Gakuen", "Prison School", "監獄学園", "2015-07-11", "2015-09-26", 24, 30240, 10768, 97142, at=_season(12, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=97142),
    Title(19, "TV", 74, "MONSTER", "Monster", "モンスター", "2004-04-07", "2005-09-28", 24, 19, 1539, 30847, at=_season(74, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=30847),
    Title(20464, "TV", 25, "Haikyuu!!", "Haikyu!!", "ハイキュー!!", "2014-04-06", "2014-09-21", 24, 20583, 10145, 60417, at=_season(25, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=60417, color="#e48643"),
    Title(21698, "TV", 10, "Haikyuu!! Karasuno Koukou VS Shiratorizawa Gakuen Koukou", "Haikyu!! 3rd Season", "ハイキュー!! 烏野高校 VS 白鳥沢学園高校", "2016-10-08", "2016-12-10", 24, 32935, 11991, 60417, at=_season(10, 3), tvdb_at=(3, 0), tmdb_at=(3, 0), color="#e48643"),
    # Cours: several entries in one Trakt season, or one each
    Title(140960, "TV", 12, "SPY×FAMILY", "SPY x FAMILY", "スパイファミリー", "2022-04-09", "2022-06-25", 24, 50265, 16947, 190742, at=_season(12, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=190742, color="#35bbae"),
    Title(142838, "TV", 13, "SPY×FAMILY Part 2", "SPY x FAMILY Cour 2", "SPY×FAMILY 第2クール", "2022-10-01", "2022-12-24", 24, 50602, 17061, 190742, at=_season(13, 1, 13), tvdb_at=(1, 12), tmdb_at=(1, 12), part=2, color="#35bbae"),
    Title(158927, "TV", 12, "SPY×FAMILY Season 2", "SPY x FAMILY Season 2", "SPY×FAMILY Season 2", "2023-10-07", "2023-12-23", 24, 53887, 17784, 190742, at=_season(12, 2), tvdb_at=(2, 0), tmdb_at=(2, 0), color="#e45d78"),
    Title(16498, "TV", 25, "Shingeki no Kyojin", "Attack on Titan", "進撃の巨人", "2013-04-07", "2013-09-29", 24, 16498, 9541, 1420, at=_season(25, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=1420, synonyms=("SnK", "AoT"), color="#e4ae78"),
    Title(20958, "TV", 12, "Shingeki no Kyojin Season 2", "Attack on Titan Season 2", "進撃の巨人 Season2", "2017-04-01", "2017-06-17", 24, 25777, 10944, 1420, at=_season(12, 2), tvdb_at=(2, 0), tmdb_at=(2, 0), color="#c98650"),
    Title(99147, "TV", 12, "Shingeki no Kyojin Season 3", "Attack on Titan Season 3", "進撃の巨人 Season3", "2018-07-23", "2018-10-15", 23, 35760, 13241, 1420, at=_season(12, 3), tvdb_at=(3, 0), tmdb_at=(3, 0), color="#e4d65d"),
    Title(104578, "TV", 10, "Shingeki no Kyojin Season 3 Part 2", "Attack on Titan Season 3 Part 2", "進撃の巨人 Season3 Part.2", "2019-04-29", "2019-07-01", 23, 38524, 14444, 1420, at=_season(10, 3, 13), tvdb_at=(3, 12), tmdb_at=(3, 12), part=2, color="#e4c993"),
    Title(110277, "TV", 16, "Shingeki no Kyojin: The Final Season", "Attack on Titan Final Season", "進撃の巨人 The Final Season", "2020-12-07", "2021-03-29", 23, 40028, 14977, 1420, at=_season(16, 4), tvdb_at=(4, 0), tmdb_at=(4, 0), color="#aed6e4"),
    Title(131681, "TV", 12, "Shingeki no Kyojin: The Final Season Part 2", "Attack on Titan Final Season Part 2", "進撃の巨人 The Final Season Part 2", "2022-01-10", "2022-04-04", 23, 48583, 16177, 1420, at=_season(12, 4, 17), tvdb_at=(4, 16), tmdb_at=(4, 16), part=2, color="#e4a15d"),
    Title(146984, "SPECIAL", 1, "Shingeki no Kyojin: The Final Season - Kanketsu-hen Zenpen", "Attack on Titan Final Season THE FINAL CHAPTERS Special 1", "進撃の巨人 The Final Season 完結編 前編", "2023-03-04", "2023-03-04", 61, 51535, 17303, 1420, at=_season(1, 4, 29), tvdb_at=(4, 28), tmdb_at=(4, 28), color="#e46b43"),
    Title(162314, "SPECIAL", 1, "Shingeki no Kyojin: The Final Season - Kanketsu-hen Kouhen", "Attack on Titan Final Season THE FINAL CHAPTERS Special 2", "進撃の巨人 The Final Season 完結編 後編", "2023-11-05", "2023-11-05", 85, 162314, 17304, 1420, at=_season(1, 4, 30), tvdb_at=(4, 29), tmdb_at=(4, 29), color="#e46b43"),
    Title(101922, "TV", 26, "Kimetsu no Yaiba", "Demon Slayer: Kimetsu no Yaiba", "鬼滅の刃", "2019-04-06", "2019-09-28", 23, 38000, 14107, 131598, at=_season(26, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=131598, color="#4fa1a1"),
    Title(129874, "TV", 7, "Kimetsu no Yaiba: Mugen Ressha-hen (TV)", "Demon Slayer: Kimetsu no Yaiba Mugen Train Arc", "鬼滅の刃 無限列車編", "2021-10-10", "2021-11-28", 24, 49926, 16803, 131598, at=_season(7, 2), tvdb_at=(2, 0), tmdb_at=(2, 0), color="#e45d28"),
    Title(142329, "TV", 11, "Kimetsu no Yaiba: Yuukaku-hen", "Demon Slayer: Kimetsu no Yaiba Entertainment District Arc", "鬼滅の刃 遊郭編", "2021-12-05", "2022-02-13", 24, 47778, 16054, 131598, at=_season(11, 3), tvdb_at=(3, 0), tmdb_at=(3, 0), color="#bb5de4"),
    Title(145139, "TV", 11, "Kimetsu no Yaiba: Katanakaji no Sato-hen", "Demon Slayer: Kimetsu no Yaiba Swordsmith Village Arc", "鬼滅の刃 刀鍛冶の里編", "2023-04-09", "2023-06-18", 24, 51019, 17198, 131598, at=_season(11, 4), tvdb_at=(4, 0), tmdb_at=(4, 0), color="#e45dae"),
    Title(21087, "TV", 12, "One Punch Man", "One-Punch Man", "ワンパンマン", "2015-10-05", "2015-12-21", 24, 30276, 11123, 97548, at=_season(12, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=97548, color="#e4c950"),
    Title(97668, "TV", 12, "One Punch Man 2", "One-Punch Man Season 2", "ワンパンマン2", "2019-04-10", "2019-07-03", 24, 34134, 12430, 97548, at=_season(12, 2), tvdb_at=(2, 0), tmdb_at=(2, 0), color="#e43535"),
    # Merged: Trakt has one season where the files say several
    Title(113415, "TV", 24, "Jujutsu Kaisen", "JUJUTSU KAISEN", "呪術廻戦", "2020-10-03", "2021-03-27", 23, 40748, 15275, 158594, at=_season(24, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=158594, color="#5d78e4"),
    Title(145064, "TV", 23, "Jujutsu Kaisen 2nd Season", "JUJUTSU KAISEN Season 2", "呪術廻戦 第2期", "2023-07-06", "2023-12-28", 23, 51009, 17196, 158594, at=_season(23, 1, 25), tvdb_at=(2, 0), tmdb_at=(2, 0), color="#5dc9e4"),
    Title(172463, "TV", None, "Jujutsu Kaisen: Shimetsu Kaiyuu - Zenpen", "JUJUTSU KAISEN Season 3: The Culling Game Part 1", "呪術廻戦 死滅回游 前編", None, None, 23, 57658, 18363, 158594, at=((1, 12, 1, 48),), tvdb_at=(3, 0), tmdb_at=(1, 47), color="#785de4"),
    Title(21355, "TV", 25, "Re:Zero kara Hajimeru Isekai Seikatsu", "Re:ZERO -Starting Life in Another World-", "Re:ゼロから始める異世界生活", "2016-04-04", "2016-09-19", 25, 31240, 11370, 104310, at=_season(25, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=104310, color="#aee4f1"),
    Title(108632, "TV", 13, "Re:Zero kara Hajimeru Isekai Seikatsu 2nd Season", "Re:ZERO -Starting Life in Another World- Season 2", "Re:ゼロから始める異世界生活 2nd Season", "2020-07-08", "2020-09-30", 25, 39587, 14792, 104310, at=_season(13, 1, 26), tvdb_at=(2, 0), tmdb_at=(1, 25), color="#e4f1ae"),
    Title(119661, "TV", 12, "Re:Zero kara Hajimeru Isekai Seikatsu 2nd Season Part 2", "Re:ZERO -Starting Life in Another World- Season 2 Part 2", "Re:ゼロから始める異世界生活 2nd Season 後半", "2021-01-06", "2021-03-24", 29, 42203, 15593, 104310, at=_season(12, 1, 39), tvdb_at=(2, 13), tmdb_at=(1, 38), part=2, color="#aebbe4"),
    Title(163134, "TV", 16, "Re:Zero kara Hajimeru Isekai Seikatsu 3rd Season", "Re:ZERO -Starting Life in Another World- Season 3", "Re:ゼロから始める異世界生活 3rd season", "2024-10-02", "2025-03-26", 27, 54857, 17947, 104310, at=_season(16, 1, 51), tvdb_at=(3, 0), tmdb_at=(1, 50), color="#e4c9f1"),
    Title(151970, "TV", 25, "Shangri-La Frontier: Kusoge Hunter, Kamige ni Idoman to su", "Shangri-La Frontier", "シャングリラ・フロンティア", "2023-10-01", "2024-03-31", 24, 52347, 17501, 196794, at=_season(25, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=196794, color="#5d93e4"),
    Title(176508, "TV", 25, "Shangri-La Frontier: Kusoge Hunter, Kamige ni Idoman to su 2nd Season", "Shangri-La Frontier Season 2", "シャングリラ・フロンティア 2nd season", "2024-10-13", "2025-03-30", 24, 58572, 18578, 196794, at=_season(25, 1, 26), tvdb_at=(2, 0), tmdb_at=(1, 25), color="#5de4bb"),
    Title(154587, "TV", 28, "Sousou no Frieren", "Frieren: Beyond Journey’s End", "葬送のフリーレン", "2023-09-29", "2024-03-22", 24, 52991, 17617, 198225, at=_season(28, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=198225, color="#c9e4d6"),
    Title(182255, "TV", None, "Sousou no Frieren 2nd Season", "Frieren: Beyond Journey’s End Season 2", "葬送のフリーレン 第2期", None, None, 24, 59978, 18886, 198225, at=((1, 10, 1, 29),), tvdb_at=(2, 0), tmdb_at=(1, 28), counted=10, color="#aee4c9"),
    # Split: the files count on, Trakt begins a new season
    Title(10087, "TV", 13, "Fate/Zero", "Fate/Zero", "Fate/Zero", "2011-10-02", "2011-12-25", 27, 10087, 8160, 74325, at=_season(13, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=74325, color="#86a1e4"),
    Title(11741, "TV", 12, "Fate/Zero 2nd Season", "Fate/Zero Season 2", "Fate/Zero 2ndシーズン", "2012-04-08", "2012-06-24", 24, 11741, 8880, 74325, at=_season(12, 2), tvdb_at=(1, 13), tmdb_at=(1, 13), part=2, color="#e47886"),
    # Long runners
    Title(21, "TV", None, "ONE PIECE", "ONE PIECE", "ワンピース", "1999-10-20", None, 24, 21, 69, 37696, at=((1, 61, 1, 1), (62, 77, 2, 62), (78, 91, 3, 78), (92, 130, 4, 92)), tvdb_at=("a", 0), otaku_trakt=37696, counted=1155, color="#e49335"),
    Title(11061, "TV", 148, "HUNTER×HUNTER (2011)", "Hunter x Hunter (2011)", "HUNTER×HUNTER (2011)", "2011-10-02", "2014-09-24", 24, 11061, 8550, 64409, at=((1, 58, 1, 1), (59, 136, 2, 1), (137, 148, 3, 1)), tvdb_at=("a", 0), otaku_trakt=64409, color="#50c95d"),
    # Specials and OVAs
    Title(4224, "TV", 25, "Toradora!", "Toradora!", "とらドラ!", "2008-10-02", "2009-03-26", 24, 4224, 5909, 61405, at=_season(25, 1), tvdb_at=(1, 0), tmdb_at=(1, 0), otaku_trakt=61405, color="#e48650"),
    Title(11553, "OVA", 1, "Toradora!: Bentou no Gokui", "The True Meaning of Bento", "とらドラ!: 弁当の極意", "2011-12-21", "2011-12-21", 24, 11553, 8656, 61405, at=((1, 1, 0, 6),), tvdb_at=(0, 0), tmdb_at=(0, 5), xml_pairs=(("tmdb", 1, 0, ";1-6;"),), synonyms=("Toradora! OVA",), color="#e4a178"),
    Title(20811, "OVA", 2, "Shingeki no Kyojin: Kuinaki Sentaku", "Attack on Titan: No Regrets", "進撃の巨人 悔いなき選択", "2014-12-09", "2015-04-09", 27, 25781, 10670, 1420, at=((1, 2, 0, 15),), tvdb_at=(0, 9), tmdb_at=(0, 14), xml_pairs=(("tmdb", 1, 0, ";1-15;2-16;"),), synonyms=("No Regrets",), color="#86c9a1"),
    Title(99634, "OVA", 3, "Shingeki no Kyojin: Lost Girls", "Attack on Titan: Lost Girls", "進撃の巨人 LOST GIRLS", "2017-12-08", "2018-08-09", 24, 36702, 13555, 1420, tvdb_at=(0, 11), color="#c9a1bb"),
    Title(108945, "SPECIAL", 6, "One Punch Man 2 Specials", "One-Punch Man Season 2 Specials", "ワンパンマン2 OVA", "2019-10-25", "2020-03-27", 10, 39705, 14826, 97548, tvdb_at=(0, 8), color="#c96b50"),
    # Movies
    Title(21519, "MOVIE", 1, "Kimi no Na wa.", "Your Name.", "君の名は。", "2016-08-26", "2016-08-26", 106, 32281, 11829, movie=224301, otaku_trakt=224301, color="#0da1e4"),
    Title(199, "MOVIE", 1, "Sen to Chihiro no Kamikakushi", "Spirited Away", "千と千尋の神隠し", "2001-07-20", "2001-07-20", 125, 199, 112, movie=97, otaku_trakt=97, color="#e4786b"),
    Title(20954, "MOVIE", 1, "Koe no Katachi", "A Silent Voice", "聲の形", "2016-09-17", "2016-09-17", 130, 28851, 10937, movie=225063, otaku_trakt=225063, color="#93d6e4"),
    Title(47, "MOVIE", 1, "AKIRA", "Akira", "アキラ", "1988-07-16", "1988-07-16", 124, 47, 28, movie=115, color="#e41a1a"),
    Title(528, "MOVIE", 1, "Pocket Monsters: Mewtwo no Gyakushuu", "Pokémon: The First Movie - Mewtwo Strikes Back", "ポケットモンスター ミュウツーの逆襲", "1998-07-18", "1998-07-18", 75, 528, 990, movie=5440, otaku_trakt=5440, color="#a186c9"),
    Title(5526, "MOVIE", 1, "Pocket Monsters: Pikachu no Natsuyasumi", "Pikachu's Vacation", "ピカチュウのなつやすみ", "1998-07-18", "1998-07-18", 22, 5526, 6796, movie=5440, color="#e4d635"),
    Title(131573, "MOVIE", 1, "Jujutsu Kaisen 0", "JUJUTSU KAISEN 0", "呪術廻戦 0", "2021-12-24", "2021-12-24", 105, 48561, 16169, movie=644629, otaku_trakt=644629, color="#e4ae35"),
    Title(112151, "MOVIE", 1, "Kimetsu no Yaiba: Mugen Ressha-hen", "Demon Slayer -Kimetsu no Yaiba- The Movie: Mugen Train", "鬼滅の刃 無限列車編", "2020-10-16", "2020-10-16", 117, 40456, 15113, movie=474745, otaku_trakt=645712, color="#e45035"),  # the Otaku id is dead, as in the real file
    Title(178788, "MOVIE", 1, "Kimetsu no Yaiba: Mugen Jou-hen Movie 1", "Demon Slayer: Kimetsu no Yaiba Infinity Castle", "鬼滅の刃 無限城編 第一章", "2025-07-18", "2025-07-18", 155, 59192, 18699, movie=1040555, mapped=False, color="#785050"),
    Title(109190, "MOVIE", 1, "Violet Evergarden Gaiden: Eien to Jidou Shuki Ningyou", "Violet Evergarden: Eternity and the Auto Memory Doll", "ヴァイオレット・エヴァーガーデン 外伝", "2019-09-06", "2019-09-06", 91, 39741, 14840, movie=454758, otaku_trakt=454758, color="#86aee4"),
    Title(171627, "MOVIE", 1, "Chainsaw Man: Reze-hen", "Chainsaw Man – The Movie: Reze Arc", "チェンソーマン レゼ篇", "2025-09-19", "2025-09-19", 100, 57555, 18324, movie=1039876, color="#e4506b"),
    # No match
    Title(97731, "MUSIC", 1, "Shelter", "Shelter", "シェルター", "2016-10-18", "2016-10-18", 6, 34240, in_files=False, color="#78e4c9"),
    Title(11679, "ONA", 1, "Chainsaw Maid", "Chainsaw Maid", None, "2007-01-01", "2007-01-01", 7, 11679, 8753, mapped=False),
    Title(106146, "ONA", 1, "Chainsaw Bunny", "Chainsaw Bunny", None, "2010-01-01", "2010-01-01", 8, 38181, 13780, tmdb_tv=7_990_001, tmdb_at=(1, 0)),
)  # fmt: skip

BY_ID = {title.id: title for title in TITLES}
