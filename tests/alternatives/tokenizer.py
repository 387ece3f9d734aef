"""The same answers, found another way."""
import math


def bpe_merge(words):
    counts = {}
    for pieces in words:
        for at in range(1, len(pieces)):
            pair = pieces[at - 1], pieces[at]
            counts[pair] = counts.get(pair, 0) + 1
    left, right = sorted(counts, key=counts.get, reverse=True)[0]           # sorted is stable

    def joined(pieces):
        if len(pieces) < 2:
            return pieces
        if pieces[0] == left and pieces[1] == right:
            return [left + right, *joined(pieces[2:])]
        return [pieces[0], *joined(pieces[1:])]
    return [joined(pieces) for pieces in words]


def bpe_cut(text, table):
    """Piece after piece in the order of ids, until a round changes nothing."""
    marks, changed = list(text.replace(" ", "▁")), True
    by_id = sorted((token, piece) for piece, token in table.items() if len(piece) > 1)
    while changed:
        changed = False
        for _, piece in by_id:
            at = next((at for at in range(len(marks) - 1) if marks[at] + marks[at + 1] == piece), None)
            if at is not None:
                marks = marks[:at] + [piece] + marks[at + 2:]
                changed = True
                break
    return [table[piece] for piece in marks]


def byte_fallback(text, known):
    out = []
    for char in text:
        if char in known:
            out.append(known[char])
        else:
            out.extend(217 + int(pair, 16) for pair in char.encode("utf-8").hex(" ").split())
    return out


def turn_format(turns):
    lines = []
    for role, text in turns:
        lines += [f"<start_of_turn>{'user' if role == 'user' else 'model'}", f"{text.strip()}<end_of_turn>"]
    return "\n".join([*lines, "<start_of_turn>model", ""])


def why_bos(documents, V):
    beginnings = [each[0] for each in documents]
    everything = sum(documents, [])

    def bits(token, seen):
        return math.log2(len(seen) + V) - math.log2(seen.count(token) + 1)
    return tuple(sum(bits(token, seen) for token in beginnings) / len(documents) for seen in (beginnings, everything))


def prompt_bugs(prompts):
    def bug(ids):
        text = " ".join(map(str, ["", *ids, ""]))
        if not text.startswith(" 2 "):
            return "bos missing"
        if " 2 " in text[2:]:
            return "bos twice"
        if len(text.split(" 106 ")) - len(text.split(" 107 ")) != 1:
            return "turn not closed"
        return "fine" if text.endswith(" 106 2516 108 ") else "newline missing"
    return [bug(ids) for ids in prompts]
