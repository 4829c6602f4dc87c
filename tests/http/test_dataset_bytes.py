"""The same request gives the same bytes, of the whole folder: whatever the threads, the processor, the surroundings, and after a backup was restored."""

import json
import os
import random
import shutil

import pytest
from conftest import Server, readback

REQUESTS = {
    "answers": (("--format", "trl-sft", "--split", "hash", "--seed", "7"),
                {"format": "trl-sft", "split": {"by": "hash"}, "seed": 7}),
    "intents": (("--format", "fasttext", "--split", "time"), {"format": "fasttext", "split": {"by": "time"}}),
}
# What a process may be told by its surroundings. oneDNN takes what the processor has not for what it has.
SURROUNDINGS = {
    "1 thread": {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    "8 threads": {"OMP_NUM_THREADS": "8", "OPENBLAS_NUM_THREADS": "8"},
    **{isa: {"ONEDNN_MAX_CPU_ISA": isa} for isa in ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX512_CORE", "AVX512_CORE_VNNI",
                                                    "AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX512_CORE_AMX")},
    "another place": {"TZ": "Asia/Kolkata", "LC_ALL": "C", "LANG": "tr_TR.UTF-8"},
    "memory that was used": {"MALLOC_PERTURB_": "165"},
}
BACKUP = ("readback.db", "readback.db-wal", "jobs", "secret")  # docs/operations.md; and control.db


def on_disk(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def conversation(r, n):
    words = [f"{r.choice('bdfgklmnprst')}{r.choice('aeiou')}{r.choice('bdfgklmnprst')}{r.choice('aeiou')}" for _ in range(12)]
    asked = f"I am Mara Lindqvist, mara{n % 9}@example.org, order VK-2041{n % 10}: {' '.join(words)}"
    return {"id": f"c-{n}", "customer": {"id": f"cu-{n % 40}", "name": "Mara Lindqvist"},
            "turns": [{"role": "customer", "text": asked, "at": f"2026-0{1 + n % 9}-03T08:00:00Z"},
                      {"role": "agent", "text": "Hello Mara, it was sent again.", "at": f"2026-0{1 + n % 9}-03T09:00:00Z"}],
            "resolution": {"outcome": "resolved", "intent": f"intent {n % 5}", "text": "sent again"}}, asked


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Customers, personal data and near-duplicates; and the bytes of each request."""
    root, r = tmp_path_factory.mktemp("bytes"), random.Random(20261129)
    pairs = [conversation(r, n) for n in range(90)]
    again = [{**c, "id": f"{c['id']}-again", "customer": {"id": f"other-{n}"},
              "turns": [{**c["turns"][0], "text": asked + "!"}, c["turns"][1]]} for n, (c, asked) in enumerate(pairs[::3])]
    examples = [{"text": f"{asked} {'please' if n % 2 else 'thanks'}", "label": f"intent {n % 5}"}
                for n, (_, asked) in enumerate(pairs) for _ in range(1 + n % 2)]
    for what, rows in (("conversations", [c for c, _ in pairs] + again), ("examples", examples)):
        file = root / f"{what}.ndjson"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        told = readback("import", what, file, "--data", root / "data", "--embedder", "none")
        assert told.returncode == 0, told.stderr
    wanted = {name: exported(root / "data", root / name, options) for name, (options, _) in REQUESTS.items()}
    for files in wanted.values():
        manifest = json.loads(files["manifest.json"])
        assert manifest["split"]["joined_by_near_duplicates"] > 10 and all(manifest["split"]["rows"].values())
        assert manifest["redaction"]["counts"]["email"] > 90
    return root / "data", wanted


def exported(data, out, options, **env):
    told = readback("export", *options, "--out", out, "--data", data, env={**os.environ, **env})
    assert told.returncode == 0, told.stderr
    files = on_disk(out)
    shutil.rmtree(out)
    return files


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_the_bytes_are_the_same_whatever_the_processor_and_the_threads(filled, tmp_path, name):
    data, wanted = filled
    for kind, (options, _) in REQUESTS.items():
        assert exported(data, tmp_path / "elsewhere", options, **SURROUNDINGS[name]) == wanted[kind]


def test_the_bytes_are_the_same_after_a_reindex(filled, tmp_path):
    data, wanted = filled
    shutil.copytree(data, tmp_path / "data")
    told = readback("reindex", "--data", tmp_path / "data", "--embedder", "none")
    assert told.returncode == 0, told.stderr
    for kind, (options, _) in REQUESTS.items():
        assert exported(tmp_path / "data", tmp_path / "out", options) == wanted[kind]


def test_the_bytes_are_the_same_from_a_backup_and_over_http(filled, tmp_path):
    data, wanted = filled
    restored = tmp_path / "restored"
    for tenant in data.glob("tenants/*"):
        to = restored / "tenants" / tenant.name
        to.mkdir(parents=True)
        for name in BACKUP:
            if (tenant / name).is_dir():
                shutil.copytree(tenant / name, to / name)
            elif (tenant / name).exists():
                shutil.copy(tenant / name, to / name)
    shutil.copy(data / "control.db", restored / "control.db")
    for kind, (options, _) in REQUESTS.items():
        assert exported(restored, tmp_path / "out", options) == wanted[kind]
    for workers in ("1", "8"):
        s = Server(restored, "--embedder", "none", "--workers", workers).start()
        try:
            for kind, (_, body) in REQUESTS.items():
                mark = json.loads(wanted[kind]["manifest.json"])["mark"]
                id_ = s.post("/v1/datasets", {**body, "at": mark}).json()["job"]["id"]
                assert s.wait_for_job(id_)["state"] == "done"
                assert on_disk(next(restored.glob(f"tenants/*/datasets/{id_}"))) == wanted[kind]
        finally:
            assert s.stop() == 0
