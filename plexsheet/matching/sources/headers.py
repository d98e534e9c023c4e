"""What the headers of other players' tables mean, in the languages they are written in (pure)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

FIELDS = (
    "title", "artist", "album_artist", "album", "disc", "number", "length", "year", "file", "id",
    "rating", "computed", "rated_at", "plays", "last_played",
)  # fmt: skip

# English, German, French, Spanish, Italian, Dutch, Portuguese, Swedish, Danish, Norwegian,
# Polish, Czech, Russian, Japanese, Chinese: as players' list views and exports call them.
_WORDS = {
    "title": """title; track; track title; track name; name; song; song title; song name; trackname;
        titel; titelname; lied; liedtitel; titre; nom; morceau; título; nombre; canción; pista;
        titolo; nome; brano; nummer; naam; titulo; faixa; música; låt; låttitel; namn; sang;
        sangtittel; tytuł; utwór; nazwa; název; skladba; название; композиция; трек; песня;
        タイトル; 曲名; 名前; 标题; 歌曲; 歌名; 曲目""",
    "artist": """artist; artists; artist name; artistname; track artist; trackartist; performer;
        artist(s); artist name(s); interpret; künstler; interpreten; mitwirkende interpreten;
        contributing artists; artiste; artistes; interprète; artista; artistas; intérprete;
        intérpretes; interprete; artiest; uitvoerende; kunstner; artyści; artysta; wykonawca;
        umělec; исполнитель; артист; アーティスト; 艺术家; 艺人; 歌手""",
    "album_artist": """album artist; albumartist; album artist name; albumartistname; band;
        albumkünstler; album-interpret; albuminterpret; interpret des albums; artiste de l'album;
        artiste album; artista del álbum; artista del album; artista álbum; artista dell'album;
        artista album; albumartiest; artista do álbum; albumkunstner; wykonawca albumu;
        umělec alba; исполнитель альбома; アルバムアーティスト; 专辑艺术家; 专辑艺人""",
    "album": """album; album title; albumtitle; album name; albumname; release; release name;
        release title; albumtitel; titre de l'album; álbum; album titel; nome album;
        titolo album; альбом; アルバム; 专辑; 专辑名""",
    "disc": """disc; disc number; discnumber; disc #; disc no; disk; disk number; disk #; cd;
        cd-nummer; cd nr; medium; disque; numéro de disque; n° de disque; disco;
        número de disco; numero disco; schijf; schijfnummer; skiva; plade; płyta; диск; ディスク""",
    "number": """track number; tracknumber; track #; track no; track no.; trackno; track nr;
        number; no; no.; #; nr; nr.; titelnummer; titel-nr.; titelnr; spur; n°; numéro;
        numéro de piste; piste; n° de piste; número de pista; nº; núm.; numero traccia;
        traccia; tracknummer; número da faixa; spår; spårnummer; spor; numer utworu;
        číslo skladby; номер; номер трека; № ; トラック番号; 音轨; index""",
    "length": """length; duration; time; total time; totaltime; track length; playing time;
        running time; duration ms; durationms; länge; dauer; spieldauer; zeit; laufzeit; durée;
        temps; duración; tiempo; durata; duur; lengte; tijd; duração; tempo total; längd; tid;
        varighed; varighet; długość; czas; czas trwania; délka; čas; длительность; длина;
        время; 時間; 長さ; 时长; 时间""",
    "year": """year; date; release year; releaseyear; release date; original year; album year;
        jahr; erscheinungsjahr; année; año; anno; jaar; ano; år; rok; год; 年; 年份""",
    "file": """file; filename; file name; file path; filepath; path; location; url; uri;
        folder/filename; datei; dateiname; dateipfad; pfad; speicherort; ort; fichier; chemin;
        emplacement; archivo; ruta; ubicación; percorso; posizione; bestand; pad; locatie;
        arquivo; caminho; local; plats; sökväg; placering; plik; ścieżka; soubor; cesta; файл;
        путь; расположение; ファイル; 場所; 文件; 位置""",
    "id": """musicbrainz id; musicbrainz track id; musicbrainz recording id; musicbrainz_trackid;
        musicbrainz_recordingid; mbid; recording mbid; track mbid; recording_mbid""",
    "rating": """rating; my rating; user rating; userrating; track rating; song rating; stars;
        star rating; score; rate; fmps_rating; bewertung; meine bewertung; wertung; sterne;
        note; ma note; évaluation; mon évaluation; classement; étoiles; calificación; valoración;
        mi valoración; puntuación; estrellas; valutazione; voto; punteggio; stelle; classificazione;
        waardering; mijn waardering; beoordeling; sterren; classificação; avaliação; estrelas;
        betyg; mitt betyg; stjärnor; bedømmelse; vurdering; stjerner; min vurdering; ocena;
        moja ocena;
        gwiazdki; hodnocení; moje hodnocení; hvězdičky; рейтинг; мой рейтинг; оценка; оценки;
        レート; マイレート; 評価; 评分; 我的评分; 星级""",
    "computed": """ratingtype; rating type; rating computed""",
    "rated_at": """rated at; rated on; date rated; rating date; last rated; lastratedat;
        last rated at; bewertet am; noté le; valorado el; valutato il; beoordeeld op; betygsatt;
        loved at; loved on; created""",
    "plays": """plays; play count; playcount; times played; played; playcounter; view count;
        wiedergaben; abgespielt; anzahl wiedergaben; wiedergabezähler; lectures; écoutes;
        nombre de lectures; reproducciones; nº reproducciones; riproduzioni; ascolti;
        keer afgespeeld; afgespeeld; reproduções; execuções; spelningar; antal spelningar;
        afspilninger; avspillinger; odtworzenia; liczba odtworzeń; přehrání; počet přehrání;
        воспроизведения; прослушивания; 再生回数; 播放次数""",
    "last_played": """last played; lastplayed; last played at; date last played; zuletzt gespielt;
        zuletzt wiedergegeben; zuletzt gehört; dernière lecture; última reproducción;
        ultima riproduzione; ultimo ascolto; laatst afgespeeld; última reprodução;
        senast spelad; sidst afspillet; sist spilt; ostatnio odtwarzane; naposledy přehráno;
        последнее воспроизведение; 最後に再生した日; 上次播放""",
}  # fmt: skip

_UNIT = re.compile(r"(?<![a-z])(ms|msec|millis|milliseconds|millisekunden|s|sec|secs|seconds"
                   r"|sek|sekunden|secondes|segundos|secondi)(?![a-z])")  # fmt: skip
_SCALE = re.compile(
    r"(?:[0-9.,]+\s*(?:-|–|to|bis|à|a|\.\.)\s*|/\s*|of\s*|von\s*|sur\s*|[(\[]\s*)(5|10|100|255)\b"
)
_PERCENT = re.compile(r"%|percent|prozent|pour ?cent")
_STARS = re.compile(r"star|sterne|étoile|estrella|stell[ae]|sterren|estrela|stjärn|stjern|gwiazd"
                    r"|hvězd|звезд|звёзд|★|星")  # fmt: skip


@dataclass(frozen=True)
class Header:
    """What a header means.

    Attributes:
        field: one of ``FIELDS``, ``""`` where unknown.
        scale: highest rating it names, 0 for none.
        unit: of lengths, ``ms``, ``s`` or ``""``.
    """

    field: str
    scale: int = 0
    unit: str = ""


def key_of(header: str) -> str:
    """A header as it is looked up: letters and digits alone, and the signs ``#`` and ``№``.

    >>> key_of(" Track-No. "), key_of("Titel_Nr"), key_of("#")
    ('trackno', 'titelnr', '#')
    """
    plain = unicodedata.normalize("NFKC", header).casefold().strip()
    return "".join(c for c in plain if c.isalnum() or c in "#№") or plain


_FIELD_OF = {key_of(word): field for field, words in _WORDS.items() for word in words.split(";")}
_FIELD_OF |= {field: field for field in FIELDS} | {"albumartist": "album_artist"}


def meaning(header: str) -> Header:
    """What a header means, with the scale or unit it names.

    >>> meaning("Rating (0-100)"), meaning("Dauer [s]").unit, meaning("Sterne").scale
    (Header(field='rating', scale=100, unit=''), 's', 5)
    """
    said = unicodedata.normalize("NFKC", header).casefold().strip()
    bare = re.sub(r"[(\[{].*?[)\]}]", " ", said).strip() or said
    plain = re.sub(_SCALE, " ", bare).strip() or bare
    field = next(
        (_FIELD_OF[key] for key in map(key_of, (said, bare, plain)) if key in _FIELD_OF), ""
    )
    if not field:
        unitless = _UNIT.sub(" ", re.sub("[_%]", " ", plain)).strip()
        field = _FIELD_OF.get(key_of(unitless), "")
    if field == "rating":
        return Header(field, scale=scale_of(said))
    if field == "length":
        unit = _UNIT.search(said.replace("_", " ")) or re.search(r"(ms)$", said)
        return Header(field, unit="" if unit is None else "ms" if unit[1][0] == "m" else "s")
    return Header(field)


def scale_of(header: str) -> int:
    """The highest rating a header names, 0 where it names none.

    >>> scale_of("rating 1-5"), scale_of("score %"), scale_of("fmps_rating"), scale_of("rating")
    (5, 100, 1, 0)
    """
    found = _SCALE.search(header)
    if found:
        return int(found[1])
    if "fmps" in header:
        return 1
    if _PERCENT.search(header):
        return 100
    return 5 if _STARS.search(header) else 0


def known_layout(headers: Mapping[str, int]) -> int:
    """The rating scale of a table that only one program writes, 0 for any other.

    Args:
        headers: ``key_of`` each header.
    """
    return next((scale for needed, scale in _LAYOUTS if needed <= set(headers)), 0)


_LAYOUTS = (
    # iTunes and Music, File > Library > Export Playlist as text
    (frozenset({"name", "artist", "bitrate", "samplerate", "kind", "myrating"}), 100),
    # plex-rating-utils
    (frozenset({"ratingkey", "tracktitle", "userrating", "ratingtype"}), 5),
)
