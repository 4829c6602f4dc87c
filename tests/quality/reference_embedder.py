#!/usr/bin/env python3
"""Writes tests/quality/embedder_reference.json: what the built-in embedder is held to.

An implementation of all-MiniLM-L6-v2 that shares nothing with ours: Hugging
Face's own tokenizer, and the forward pass in NumPy, in float64, one text at a
time. test_embed_parity.c compares ids and vectors with the file.

    pip install numpy==2.4.6 tokenizers==0.23.3
    tests/quality/reference_embedder.py [MODEL_FOLDER]      (default: deps/model/fetch.sh --print)

The texts are our own.
"""
import base64
import json
import math
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
from tokenizers import BertWordPieceTokenizer

HERE = Path(__file__).resolve().parent
WINDOW = 256  # sentence_bert_config.json of the model; its tokenizer.json says 128
LAYERS, HEADS = 6, 12

SENTENCES = [
    "The order was sent to another address, and the customer has been waiting for nine days.",
    "We reset the password twice; the second time the link had expired before it came.",
    "After the update the application closes as soon as a picture is opened.",
    "Please do not charge the card again until the refund is visible on the statement.",
]

TEXTS = [
    "",
    " \t\n ",
    "a",
    "How do I reset my password?",
    "how do i reset my password",
    "I can't log in to my account since yesterday.",
    "Where is my order #A-10293-XZ? It should have arrived on 2026-05-30!",
    "MY INVOICE IS WRONG AND NOBODY ANSWERS!!!",
    "Refund",
    "The refund was issued to the wrong card; please cancel it and pay to the other one.",
    "Error 0x80070057: the parameter is incorrect (E_INVALIDARG).",
    "curl -X POST https://api.example.com/v1/orders?limit=10&after=abc -H 'Authorization: Bearer …'",
    "Write to support@example.com or call +49 (0)30 1234-5678.",
    "12,345.67 € are 12.345,67 EUR, about $13,400 or £10,500.",
    "Crème brûlée à la carte, naïve façade, Ünïcödé, Ångström, Łódź, İstanbul, ĞŞ",
    "e\u0301a\u0300o\u0302 combining marks, fi\u0301nd",
    "Das Paßwort für die Straße geht nicht, sagt Frau Größmann.",
    "Wo ist meine Bestellung? Ich warte schon seit zwei Wochen.",
    "¿Dónde está mi pedido? ¡No funciona!",
    "Où est ma commande ? J'attends depuis deux semaines…",
    "我的订单在哪里？已经等了两个星期了。",
    "パスワードを忘れました。リセットしてください。",
    "비밀번호를 잊어버렸어요. 도와주세요.",
    "Где мой заказ? Жду уже две недели.",
    "Ποῦ εἶναι ἡ παραγγελία μου; ΣΊΣΥΦΟΣ",
    "أين طلبي؟ أنتظر منذ أسبوعين.",
    "איפה ההזמנה שלי?",
    "मेरा ऑर्डर कहाँ है?",
    "คำสั่งซื้อของฉันอยู่ที่ไหน",
    "mixed 中文 and English 日本語 text ok",
    "🙂👍🏽 thanks!! 🚀🚀",
    "👩‍👩‍👧‍👦 family plan ❤️ ✅ done",
    "zero\u200bwidth soft\u00adhyphen no\u00a0break \ufeffbom bell\u0007 nul-free",
    "tab\tand\nnewline\r\nand\u2028line\u3000wide space",
    "“smart quotes” ‘single’ — em dash – en dash … ellipsis • bullet",
    "snake_case camelCase kebab-case path/to/file.txt C:\\Users\\me",
    "x = (a + b) * c^2 / d % 3 == 0 && !e || f < g >= h ~ `i` | {j} [k] @l $m",
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "w" * 100,
    "w" * 101,
    "word " + "q" * 400 + " word",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb zzzzxxxxqqqq",
    "####### ## # a## ##b ##ing",
    "............!!!!!!!!!!??????????",
    "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20",
    "ＦＵＬＬ　ＷＩＤＴＨ ﬁ ligature ½ ² ™ ℃ Ⅷ",
    " ".join(SENTENCES),
    " ".join(SENTENCES * 4),
    " ".join(SENTENCES * 20),
    "日本" * 300,
]


def read_weights(path):
    data = path.read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + n])
    tensors = {}
    for name, t in header.items():
        if name != "__metadata__" and t["dtype"] == "F32":
            begin, end = t["data_offsets"]
            tensors[name] = (
                np.frombuffer(data[8 + n + begin : 8 + n + end], "<f4").reshape(t["shape"]).astype(np.float64)
            )
    return tensors


def norm(w, name, x):
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + 1e-12) * w[name + ".weight"] + w[name + ".bias"]


def linear(w, name, x):
    return x @ w[name + ".weight"].T + w[name + ".bias"]


erf = np.vectorize(math.erf)


def embed(w, ids):
    x = (
        w["embeddings.word_embeddings.weight"][ids]
        + w["embeddings.position_embeddings.weight"][: len(ids)]
        + w["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm(w, "embeddings.LayerNorm", x)
    for i in range(LAYERS):
        p = f"encoder.layer.{i}."
        q, k, v = (
            linear(w, p + "attention.self." + name, x).reshape(len(ids), HEADS, -1).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        a = q @ k.transpose(0, 2, 1) / math.sqrt(q.shape[-1])
        a = np.exp(a - a.max(-1, keepdims=True))
        a /= a.sum(-1, keepdims=True)
        a = (a @ v).transpose(1, 0, 2).reshape(len(ids), -1)
        x = norm(w, p + "attention.output.LayerNorm", x + linear(w, p + "attention.output.dense", a))
        y = linear(w, p + "intermediate.dense", x)
        y = y * 0.5 * (1 + erf(y / math.sqrt(2)))
        x = norm(w, p + "output.LayerNorm", x + linear(w, p + "output.dense", y))
    x = x.mean(0)
    return x / np.linalg.norm(x)


def main():
    if len(sys.argv) > 1:
        folder = Path(sys.argv[1])
    else:
        fetch = HERE.parent.parent / "deps" / "model" / "fetch.sh"
        folder = Path(subprocess.check_output([fetch, "--print"], text=True).strip())
    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    tokenizer.enable_truncation(WINDOW)
    tokenizer.no_padding()
    weights = read_weights(folder / "model.safetensors")
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        vector = embed(weights, ids).astype("<f4").tobytes()
        rows.append({"text": text, "ids": ids, "vector": base64.urlsafe_b64encode(vector).decode().rstrip("=")})
    with open(HERE / "embedder_reference.json", "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n")
    print(f"{len(rows)} texts")


if __name__ == "__main__":
    main()
