"""Lists of other players: every format into rows, its ratings on one scale, bad files refused."""

from __future__ import annotations

import json
import math
import sqlite3
from collections import Counter
from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import POPM, TALB, TIT2, TPE1, TXXX
from openpyxl import Workbook

from plexsheet.errors import UsageError, WorkbookError
from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources import BY_NAME, read_list
from plexsheet.matching.sources.headers import meaning
from plexsheet.matching.sources.values import NotARating, rating
from tests import tiny_audio
from tests.conftest import SHARED


def rows(path: Path, **options: object) -> list[ListRow]:
    return list(read_list(path, ListOptions(**options)).rows)  # type: ignore[arg-type]


def table(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path


# Real excerpts


@pytest.mark.parametrize(
    ("name", "form", "counts"),
    [
        ("iTunes Music Library.xml", "itunes", {4.0: 15, 6.0: 52, 8.0: 28, 10.0: 10}),
        ("traktor collection.nml", "traktor", {2.0: 4, 4.0: 4, 6.0: 24, 8.0: 36, 10.0: 24}),
        ("clementine.db", "clementine", {4.0: 1, 6.0: 6, 8.0: 9, 10.0: 17}),
    ],
)
def test_real_excerpts_are_recognised_and_read(name, form, counts):
    path = SHARED / "foreign-lists" / name
    if not path.exists():
        pytest.skip(f"no real lists here ({path} does not exist)")

    found = read_list(path, ListOptions())

    assert found.format == form
    assert Counter(row.rating for row in found.rows if row.rated) == counts
    assert all(row.title or row.file for row in found.rows)
    assert sum(row.length_ms > 0 for row in found.rows) > 0.9 * len(found.rows)
    assert any(row.plays for row in found.rows)


# XML


ITUNES = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Tracks</key><dict>{tracks}</dict>
<key>Playlists</key><array><dict><key>Name</key><string>Tracks</string>
<key>Playlist Items</key><array><dict><key>Track ID</key><integer>1</integer></dict></array>
</dict></array></dict></plist>"""


def itunes(path: Path, *tracks: str) -> Path:
    listed = "".join(f"<key>{n}</key><dict>{track}</dict>" for n, track in enumerate(tracks))
    path.write_text(ITUNES.replace("{tracks}", listed), encoding="utf-8")
    return path


def pairs(**values: object) -> str:
    return "".join(
        f"<key>{name.replace('_', ' ')}</key>"
        + ("<true/>" if value is True else f"<string>{value}</string>")
        for name, value in values.items()
    )


def test_itunes_ratings_that_the_player_computed_are_not_the_persons(tmp_path):
    path = itunes(
        tmp_path / "list.xml",
        pairs(Name="Mine", Rating=70, Total_Time=61000),
        pairs(Name="Guessed", Rating=60, Rating_Computed=True, Album_Rating=60),
        pairs(Name="None", Play_Count=3),
    )

    mine, guessed, none = rows(path)

    assert (mine.rating, mine.length_ms) == (7.0, 61000)
    assert not guessed.rated
    assert not none.rated and none.plays == 3


def test_itunes_films_and_podcasts_are_passed_over(tmp_path):
    path = itunes(tmp_path / "list.xml", pairs(Name="Film", Rating=80, Movie=True), pairs(Name="A"))

    assert [row.title for row in rows(path)] == ["A"]


def test_rhythmbox_songs_and_no_radio(tmp_path):
    path = tmp_path / "rhythmdb.xml"
    path.write_text(
        '<?xml version="1.0"?><rhythmdb version="2.0"><entry type="song"><title>A &amp; B</title>'
        "<artist>C</artist><album>D</album><track-number>4</track-number><duration>245</duration>"
        "<rating>4.5</rating><play-count>7</play-count><date>734503</date>"
        "<location>file:///m/a%20b.mp3</location></entry>"
        '<entry type="iradio"><title>Radio</title><rating>5</rating></entry></rhythmdb>'
    )

    (song,) = rows(path)

    assert (song.title, song.artist, song.album, song.number) == ("A & B", "C", "D", 4)
    assert (song.length_ms, song.rating, song.plays, song.year) == (245000, 9.0, 7, 2012)
    assert song.file == "/m/a b.mp3"


def test_rekordbox_counts_to_255(tmp_path):
    path = tmp_path / "collection.xml"
    path.write_text(
        '<DJ_PLAYLISTS Version="1.0.0"><COLLECTION Entries="1"><TRACK TrackID="1" Name="A" '
        'Artist="B" '
        'Mix="Extended Mix" TotalTime="300" Rating="153" PlayCount="2" '
        'Location="file://localhost/C:/m/a.mp3"/></COLLECTION><PLAYLISTS><NODE Name="x">'
        '<TRACK Key="1"/></NODE></PLAYLISTS></DJ_PLAYLISTS>'
    )

    (song,) = rows(path)

    assert (song.title, song.rating, song.file) == ("A (Extended Mix)", 6.0, "C:/m/a.mp3")


def test_entities_that_would_fill_the_memory_are_refused(tmp_path):
    bomb = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    path = tmp_path / "bomb.xml"
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE plist [{bomb}]><plist><dict>&i;</dict></plist>'
    )

    with pytest.raises(WorkbookError, match="entities of its own") as refused:
        rows(path)

    assert refused.value.code == "F20"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (ITUNES[:200], "breaks off"),
        (ITUNES.replace("</dict>", "</dict", 1), "damaged in line"),
        ('<?xml version="1.0"?><plist version="1.0"><dict></dict></plist>', "no list of tracks"),
    ],
)
def test_damaged_xml_is_refused_with_one_sentence(tmp_path, content, why):
    path = tmp_path / "list.xml"
    path.write_text(content)

    with pytest.raises(WorkbookError, match=why) as refused:
        rows(path)

    assert refused.value.message.endswith("Nothing was changed.")


# Databases


def test_strawberry_with_ids_and_a_log_that_is_not_written_back_yet(tmp_path):
    path = tmp_path / "strawberry.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute(
        "CREATE TABLE songs (title, artist, album, rating, length_nanosec, url, playcount,"
        " musicbrainz_recording_id)"
    )
    database.execute(
        "INSERT INTO songs VALUES ('A', 'B', 'C', 0.7, 61000000000, 'file:///m/a.mp3', 2, 'id-1')"
    )
    database.commit()

    (song,) = rows(path)
    database.close()

    assert (song.rating, song.length_ms, song.ids, song.plays) == (7.0, 61000, ("id-1",), 2)


def test_a_database_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE people (name)")

    with pytest.raises(WorkbookError, match="not one of Clementine or Strawberry"):
        rows(path)


def test_a_database_that_is_locked_is_copied_and_read(tmp_path):
    path = tmp_path / "clementine.db"
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("CREATE TABLE songs (title, artist, album, rating)")
    database.execute("INSERT INTO songs VALUES ('A', 'B', 'C', 1.0)")
    database.execute("BEGIN EXCLUSIVE")

    (song,) = rows(path)
    database.close()

    assert song.rating == 10.0


# Tables


def test_a_german_table_with_semicolons(tmp_path):
    path = table(
        tmp_path / "liste.csv",
        "Titel;Interpret;Album;Titelnummer;Länge;Bewertung (0-100);Wiedergaben",
        "Lied;Künstler;Platte;03/12;4:05;70;9",
    )

    (song,) = rows(path)

    assert (song.row, song.title, song.artist, song.number) == (2, "Lied", "Künstler", 3)
    assert (song.length_ms, song.rating, song.plays) == (245000, 7.0, 9)


@pytest.mark.parametrize(
    ("header", "cell", "expected"),
    [
        ("Rating (1-5)", "4,5", 9.0),
        ("Stars", "3", 6.0),
        ("Rating %", "85", 8.5),
        ("Rating", "★★★½", 7.0),
        ("Rating", "4/5", 8.0),
        ("FMPS_Rating", "0.8", 8.0),
        ("评分 (5)", "★★★★", 8.0),
    ],
)
def test_scales_said_by_header_or_cell(tmp_path, header, cell, expected):
    path = table(tmp_path / "list.tsv", f"Title\tArtist\t{header}", f"A\tB\t{cell}")

    assert rows(path)[0].rating == expected


def test_a_scale_nobody_said_is_asked_for_and_not_guessed(tmp_path):
    path = table(tmp_path / "list.csv", "Title,Artist,Rating", "A,B,80", "C,D,100")

    with pytest.raises(UsageError, match="does not say what its highest rating is") as asked:
        rows(path)

    assert "--scale 100" in asked.value.message
    assert [row.rating for row in rows(path, scale=100)] == [8.0, 10.0]


def test_a_scale_the_ratings_do_not_fit_is_refused(tmp_path):
    path = table(tmp_path / "list.csv", "Title,Artist,Rating", "A,B,80", "C,D,4")

    with pytest.raises(UsageError, match="largest rating in “Rating” of list"):
        rows(path, scale=5)


def test_one_rating_that_is_none_costs_only_its_row(tmp_path):
    path = table(tmp_path / "list.csv", "Title,Artist,Stars", "A,B,4", "C,D,gut", "E,F,0", "G,H,")

    good, bad, zero, blank = rows(path)

    assert good.rating == 8.0
    assert "gut" in bad.problem and bad.rated
    assert not zero.rated and not blank.rated


@pytest.mark.parametrize(
    ("header", "cell", "expected"),
    [("Duration (ms)", "61000", 61000), ("Length", "61", 61000), ("Time", "1:01", 61000),
     ("Length s", "61", 61000), ("Total Time", "61000", 61000)],
)  # fmt: skip
def test_lengths_in_every_unit(tmp_path, header, cell, expected):
    path = table(tmp_path / "list.csv", f"Title,Artist,Stars,{header}", f"A,B,4,{cell}")

    assert rows(path)[0].length_ms == expected


def test_map_names_what_headers_do_not(tmp_path):
    path = table(tmp_path / "list.csv", "Was,Wer,Punkte", "A,B,7")

    with pytest.raises(UsageError, match="known to hold titles"):
        rows(path)

    mapping = {"Was": "Title", "Wer": "Artist", "Punkte": "Rating"}
    assert rows(path, mapping=mapping, scale=10)[0].rating == 7.0
    with pytest.raises(UsageError, match="no column of a list"):
        rows(path, mapping={**mapping, "Wer": "Colour"}, scale=10)
    with pytest.raises(UsageError, match="No column is called “Werr”"):
        rows(path, mapping={**mapping, "Werr": "Album"}, scale=10)


def test_a_list_of_favourites_wants_to_know_what_they_are_worth(tmp_path):
    path = table(tmp_path / "loved.csv", "Artist,Title", "B,A")

    with pytest.raises(UsageError, match="--rating 5"):
        rows(path)

    assert rows(path, favourite=10.0)[0].rating == 10.0
    rated = table(tmp_path / "rated.csv", "Artist,Title,Stars", "B,A,4")
    with pytest.raises(UsageError, match="--rating is for lists without one"):
        rows(rated, favourite=10.0)


def test_utf_16_as_itunes_exports_playlists(tmp_path):
    headers = "Name\tArtist\tAlbum\tKind\tBit Rate\tSample Rate\tTime\tMy Rating\tLocation"
    path = table(
        tmp_path / "playlist.txt", headers, "Ä\tB\tC\tMP3\t128\t44100\t245\t60\t", encoding="utf-16"
    )

    (song,) = rows(path)

    assert (song.title, song.rating, song.length_ms) == ("Ä", 6.0, 245000)


def test_an_excel_sheet_with_a_title_line_above_its_header(tmp_path):
    book = Workbook()
    sheet = book.active
    sheet.append(["My music"])
    sheet.append(["Artist", "Title", "Rating (5)", "Length"])
    sheet.append(["B", "A", 4.5, "4:05"])
    book.save(tmp_path / "list.xlsx")

    (song,) = rows(tmp_path / "list.xlsx")

    assert (song.row, song.title, song.rating, song.length_ms) == (3, "A", 9.0, 245000)


def test_csv_of_plex_rating_utils_keeps_inferred_ratings_out(tmp_path):
    path = table(
        tmp_path / "tracks.csv",
        "ratingKey,trackTitle,trackArtist,albumName,albumArtist,userRating,ratingType",
        "7,A,B,C,B,4,manual",
        "8,D,B,C,B,3.2,inferred",
    )

    manual, inferred = rows(path)

    assert manual.rating == 8.0 and manual.album == "C"
    assert not inferred.rated


# Loved tracks


def test_loved_tracks_of_last_fm_and_listenbrainz(tmp_path):
    last_fm = {
        "lovedtracks": {
            "track": [
                {"name": "A", "artist": {"name": "B", "mbid": "x"}, "mbid": "id-1",
                 "date": {"uts": "1330837567"}}
            ]
        }
    }  # fmt: skip
    listenbrainz = {
        "feedback": [
            {"created": 1330837567, "score": 1, "recording_mbid": "id-2",
             "track_metadata": {"artist_name": "C", "track_name": "D", "release_name": "E"}},
            {"created": 1330837567, "score": -1, "recording_mbid": "id-3",
             "track_metadata": {"artist_name": "F", "track_name": "G"}},
        ]
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(last_fm))
    (tmp_path / "b.json").write_text(json.dumps(listenbrainz))

    with pytest.raises(UsageError, match="--rating 5"):
        rows(tmp_path / "a.json")
    (a,) = rows(tmp_path / "a.json", favourite=10.0)
    d, hated = rows(tmp_path / "b.json", favourite=9.0)

    assert (a.title, a.artist, a.ids, a.rated_at, a.rating) == (
        "A",
        "B",
        ("id-1",),
        1330837567,
        10.0,
    )
    assert (d.title, d.artist, d.album, d.rating) == ("D", "C", "E", 9.0)
    assert not hated.rated


def test_json_damaged_or_empty(tmp_path):
    path = tmp_path / "list.json"
    for content, why in (('{"track": [', "damaged in line 1"), ("[]", "no songs")):
        path.write_text(content)
        with pytest.raises(WorkbookError, match=why):
            rows(path)


# Tags of files


def tagged(folder: Path) -> Path:
    music = folder / "music" / "Nina" / "Blues"
    music.mkdir(parents=True)
    audio = mutagen.File(tiny_audio.mp3(music / "1.mp3"))
    audio.add_tags()
    for frame in (TIT2(text="One"), TPE1(text="Nina"), TALB(text="Blues")):
        audio.tags.add(frame)
    audio.tags.add(POPM(email="MusicBee", rating=186, count=3))
    audio.save()
    for name, make, tags in (
        ("2.flac", tiny_audio.flac, {"title": "Two", "FMPS_RATING": "0.9"}),
        ("3.ogg", tiny_audio.ogg, {"title": "Three", "FMPS_RATING": "0.4", "artist": "Nina"}),
        ("4.m4a", tiny_audio.m4a, {"\xa9nam": "Four", "rate": "80"}),
        ("5.wma", tiny_audio.wma, {"Title": "Five", "WM/SharedUserRating": "75"}),
    ):
        audio = mutagen.File(make(music / name))
        if audio.tags is None:
            audio.add_tags()
        for key, value in tags.items():
            audio[key] = value
        audio.save()
    return folder / "music"


def test_tags_of_every_format(tmp_path):
    found = {row.title: row for row in rows(tagged(tmp_path))}

    ratings = {title: row.rating for title, row in found.items()}
    assert ratings == {"One": 7.0, "Two": 9.0, "Three": 4.0, "Four": 8.0, "Five": 8.0}
    assert (found["One"].artist, found["One"].album, found["One"].plays) == ("Nina", "Blues", 3)
    assert found["One"].file.endswith("Nina/Blues/1.mp3")
    assert all(900 < row.length_ms < 1100 for row in found.values())


@pytest.mark.parametrize(
    ("player", "value", "expected"),
    [("Windows Media Player 9 Series", 1, 2.0), ("Windows Media Player 9 Series", 196, 8.0),
     ("MusicBee", 13, 1.0), ("no@email", 242, 9.0), ("traktor@native-instruments.de", 153, 6.0),
     ("Banshee", 255, 10.0)],
)  # fmt: skip
def test_popm_by_player(tmp_path, player, value, expected):
    audio = mutagen.File(tiny_audio.mp3(tmp_path / "a.mp3"))
    audio.add_tags()
    audio.tags.add(POPM(email=player, rating=value))
    audio.save()

    assert rows(tmp_path)[0].rating == expected


def test_popm_of_an_unknown_player_is_not_guessed(tmp_path):
    audio = mutagen.File(tiny_audio.mp3(tmp_path / "a.mp3"))
    audio.add_tags()
    audio.tags.add(POPM(email="me@example.org", rating=128))
    audio.save()

    assert "a player I do not know" in rows(tmp_path)[0].problem
    assert rows(tmp_path, scale=255)[0].rating == pytest.approx(5.02)


def test_players_that_disagree_are_not_taken(tmp_path):
    audio = mutagen.File(tiny_audio.mp3(tmp_path / "a.mp3"))
    audio.add_tags()
    audio.tags.add(POPM(email="MusicBee", rating=255))
    audio.tags.add(TXXX(desc="FMPS_Rating", text="0.4"))
    audio.save()

    (row,) = rows(tmp_path)

    assert "the players disagree" in row.problem and math.isnan(row.rating)


def test_a_vorbis_rating_counts_to_what_the_person_says(tmp_path):
    audio = mutagen.File(tiny_audio.flac(tmp_path / "a.flac"))
    audio["RATING"] = "5"
    audio.save()

    with pytest.raises(UsageError, match="--scale 5 or --scale 100"):
        rows(tmp_path)

    assert rows(tmp_path, scale=5)[0].rating == 10.0
    assert rows(tmp_path, scale=100)[0].rating == 0.5


def test_a_broken_file_costs_only_its_row(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"ID3" + b"\xff" * 40)
    tiny_audio.mp3(tmp_path / "b.mp3")

    broken, whole = rows(tmp_path)

    assert broken.title == "a" and not math.isfinite(broken.rating)
    assert whole.title == "b" and not whole.rated


def test_a_folder_without_music(tmp_path):
    with pytest.raises(WorkbookError, match="holds no audio files"):
        rows(tmp_path)


# Headers and values


@pytest.mark.parametrize(
    ("header", "field"),
    [("Name", "title"), ("Künstler", "artist"), ("Albumkünstler", "album_artist"),
     ("Étoiles", "rating"), ("Valoración", "rating"), ("Track #", "number"), ("Durée", "length"),
     ("アーティスト", "artist"), ("Исполнитель", "artist"), ("Colour", ""),
     ("Play Count", "plays")],
)  # fmt: skip
def test_headers_in_the_words_of_players(header, field):
    assert meaning(header).field == field


@pytest.mark.parametrize("cell", ["9/10 stars", "gut", True, "-1", "6/5"])
def test_what_is_no_rating(cell):
    with pytest.raises(NotARating):
        rating(cell, 5)


def test_a_format_can_be_told(tmp_path):
    path = table(tmp_path / "list.csv", "Title,Artist,Stars", "A,B,4")

    assert read_list(path, ListOptions(), "table").format == "table"
    with pytest.raises(WorkbookError):
        read_list(path, ListOptions(), "itunes")
    assert set(BY_NAME) == {
        "files", "clementine", "itunes", "rhythmbox", "traktor", "rekordbox", "loved", "plexsheet",
        "table",
    }  # fmt: skip
