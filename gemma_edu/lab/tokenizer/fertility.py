"""How many tokens a text costs: four texts that no vocabulary here was trained on, and a count of their pieces.

`python -m gemma_edu.lab.tokenizer.fertility TOKENIZER.MODEL` counts with any SentencePiece model, for example
Gemma's own.
"""
import io
import sys
from itertools import islice

import sentencepiece

from ...data.library import built_in, language, library
from ...data.sums import sums
from ...data.tokenizer import GEMMA as RULES
from ...data.tokenizer import LONGEST, Tokenizer, lines
from .bpe import cut_text, in_order, size

STORY = """\
The night market opens when the rain stops. My grandmother counts the coins twice, because last week the price of a \
bowl of noodles rose from 45 to 50. A good soup needs three things, she says: bones, time, and a cook who does not \
look at the clock. A student at the next table asks how long the soup has been on the fire. Since yesterday evening, \
she answers, fills his bowl again and does not write it down.
"""
STORY_IN_CHINESE = """\
雨停了，夜市就開張。外婆把零錢數了兩遍，因為上星期一碗麵的價錢從45漲到50。她說，好湯需要三樣東西：骨頭、\
時間，還有一個不看時鐘的廚師。隔壁桌的學生問，這鍋湯在火上煮了多久。她回答說從昨天傍晚開始，\
又替他把碗盛滿，也沒有記在帳上。
"""
CODE = '''\
def change(price, paid, coins=(50, 10, 5, 1)):
    """The fewest coins that make up what is owed."""
    owed, given = paid - price, {}
    for coin in coins:
        count, owed = divmod(owed, coin)
        if count:
            given[coin] = count
    if owed:
        raise ValueError(f"cannot give {owed} with {coins}")
    return given
'''
MATHEMATICS = """\
A bowl costs 45, so 3 bowls cost 3 * 45 = 135. From 200 paid, 200 - 135 = 65 come back.
The mean of 45, 50 and 61 is (45 + 50 + 61) / 3 = 52. If 2x + 12 = 31, then x = (31 - 12) / 2 = 9.5.
A plate of radius 7 has an area of 3.14159 * 7**2 = 153.938.
"""
TEXTS = {"English": STORY, "code": CODE, "mathematics": MATHEMATICS, "Traditional Chinese": STORY_IN_CHINESE}

# Tokens that Gemma 1's own 256 000 pieces cut them into, without bos: the command above, on a tokenizer.model rebuilt
# from the public vocabulary
GEMMA = {"English": 97, "code": 105, "mathematics": 151, "Traditional Chinese": 102}

CHINESE_TO_LEARN_FROM = """\
清晨的山路很安靜，只聽得見自己的腳步聲。走到半山腰的時候，太陽從雲裡出來，把整個山谷照得發亮。\
我們在一棵老樹下休息，喝了一點水，再慢慢往上走。
圖書館裡有一個靠窗的位子，下午的光剛好落在書頁上。他每天都坐在那裡，把一本書從頭讀到尾，然後寫下三個問題。\
他說，一本好書不是給你答案，而是讓你知道該問什麼。
妹妹第一次學騎腳踏車，摔了好幾次。爸爸沒有扶她，只是跟在後面跑。等到她回頭看的時候，才發現自己已經騎了很遠。
語言是一種習慣。我們說話的時候，不會去想每一個字從哪裡來；可是學一種新的語言，就得把每一個字都想過一遍。\
機器學語言也是這樣，先要決定什麼算是一個字。
火車開進站的時候，月台上的人都站了起來。一個老人提著一個很舊的箱子，箱子裡裝的是他兒子小時候的信。\
他要去的地方已經沒有人住了，但是他還是想去看一看。
今天的天氣預報說會下雨，結果一整天都是晴天。媽媽說，預報不是錯了，只是機會比較小的那件事發生了。\
弟弟不相信，他說錯了就是錯了。
數學老師在黑板上寫了一個很長的式子，問大家看到什麼。有人說看到數字，有人說看到符號。\
老師說，他看到的是一個故事：從左邊出發，經過許多變化，最後回到同一個地方。
廚房裡最重要的不是刀，也不是火，而是時間。水開了要等，飯熟了要等，菜的味道也要等。\
外面的人以為做菜的人很忙，其實他大部分的時間都在等。
老師傅修錶修了四十年。他說每一個錶都有自己的脾氣，有的快，有的慢，可是沒有一個是故意的。\
他把零件一個一個排好，從來不數，因為少了一個他看得出來。
晚上我們坐在屋頂上看星星。朋友問我，那些光走了多久才到這裡。我說有的走了幾年，有的走了幾千年。\
她想了想，說：那麼我們看到的不是天空，是很多個不同的昨天。
"""


def python_texts(modules=150):
    """Texts to learn from: what Python says about itself, some of its modules, and sums."""
    documents = *language(), *built_in(), *islice(library(), 2 * modules), *sums(5000, 0)
    return [text for _, _, text in documents]


def rival(texts, size, **rules):
    """A tokenizer trained with some of Gemma's rules changed."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=lines(texts), model_writer=model, vocab_size=size,
                                             max_sentence_length=4 * LONGEST, num_threads=1, minloglevel=2,
                                             **{**RULES, **rules})
    return Tokenizer(model.getvalue())


def tokens(text, merges, letters, most):
    """How many tokens a text costs with the first `most` merges only: a smaller vocabulary begins a larger one."""
    return len(cut_text(text, in_order(merges[:most]), letters))


def fertility(text, count):
    """Bytes of text for each token: the more, the cheaper."""
    return len(text.encode()) / count


def curve(text, merges, letters, sizes):
    """Bytes per token for vocabularies of several sizes, all of them beginnings of one."""
    base = size(letters, 0)
    return [fertility(text, tokens(text, merges, letters, each - base)) for each in sizes]


def main(path):
    tokenizer = Tokenizer.load(path)
    for name, text in TEXTS.items():
        print(f"{name:<20} {len(tokenizer.encode(text, bos=False)):>4} tokens, {len(text.encode())} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
