"""Makes the tokenizers of joined halves: tokenizers/{camembert,xlm-roberta,bert-generation,gpt2,electra}-*, and what transformers 5.17.0
answers with them. The texts are those of the folders that came with the reference cases.

usage: make-halves-tokenizers.py [--into FOLDER]     (needs transformers, tokenizers and sentencepiece)
"""
import json, os, random, shutil, sys, sentencepiece, tokenizers, transformers as t; t.logging.set_verbosity_error()
here = os.path.dirname(os.path.abspath(__file__)) + '/tokenizers'; into = sys.argv[sys.argv.index('--into') + 1] if '--into' in sys.argv else here
def folder(name): os.makedirs(f'{into}/{name}', exist_ok=True); return f'{into}/{name}'
def write(path, value):
    with open(path, 'w') as f: json.dump(value, f, indent=2)
def texts(name): return [c['text'] for c in json.load(open(f'{here}/{name}/cases.json')) if c.get('op', 'encode') == 'encode' and not c.get('kwargs') and c.get('text_pair') is None]
TEXTS = list(dict.fromkeys(texts('mbart-cc25-sentencepiece') + texts('bart-vocab-merges')))
CORPUS = [text for text in TEXTS if len(text) > 12] + ['the house of the river and the bridge over it are old', 'la maison du pont et la rivière sont vieilles', 'das Haus am Fluss und die Brücke sind alt']
PAIRS = [('The house.', 'Is it old?'), ('', 'b'), ('a', ''), ('L’été dure', 'où <mask> va')]
# half: what config.json says of the encoder's; None where tokenizer_config.json names the class
def halves(path, half, tokenizer=None):
    write(f'{path}/config.json', dict(model_type='encoder-decoder', is_encoder_decoder=True, encoder=dict(model_type=half), decoder=dict(model_type='gpt2')))
    if tokenizer: write(f'{path}/tokenizer_config.json', tokenizer)
def train(path, size, **more):
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_prefix=path[:-len('.model')], vocab_size=size, character_coverage=0.98, num_threads=1, minloglevel=2, **more); os.remove(path[:-len('.model')] + '.vocab')
def bytes_bpe(path):
    bpe = tokenizers.ByteLevelBPETokenizer(); bpe.train_from_iterator(CORPUS, vocab_size=420, min_frequency=2, special_tokens=['<|endoftext|>'], show_progress=False); bpe.save_model(path)
def make(name, special):
    load = lambda: t.AutoTokenizer.from_pretrained(f'{into}/{name}'); tok = load(); cases = []; draw = random.Random(name)
    def encode(text, pair=None, **kwargs):
        tok = load(); ids = tok(text, pair, **kwargs)['input_ids']
        cases.append(dict(op='encode', text=text, **({} if pair is None else dict(text_pair=pair)), kwargs=kwargs, ids=ids, tokens=tok.convert_ids_to_tokens(ids), decoded=tok.decode(ids, skip_special_tokens=True), decoded_raw=tok.decode(ids)))
    for text in TEXTS + [f'a{s}b' for s in special] + [f' a {s}  b ' for s in special] + [''.join(special), '＜s＞ ｆｕｌｌ ﬁ ①', '\ta\n\nb\u00a0c\u3000d ', '▁a ▁▁b', '\u200b\u00ad', '👩‍👩‍👧 e\u0301']: encode(text)
    for text in TEXTS[:6]: encode(text, add_special_tokens=False); encode(text, truncation=True, max_length=7); encode(text, truncation=True, max_length=5, add_special_tokens=False)
    for text, pair in PAIRS: encode(text, pair); encode(text, pair, add_special_tokens=False); encode(text, pair, truncation='longest_first', max_length=9)
    first, second = (TEXTS[2] * 3, TEXTS[1]); long = len(tok(first, second)['input_ids']) - 9
    encode(first, second, truncation='only_first', max_length=long); encode(second, first, truncation='only_second', max_length=long)
    for _ in range(12):
        ids = [draw.randrange(len(tok)) for _ in range(draw.randrange(1, 9))]
        cases.append(dict(op='decode', kwargs={}, ids=ids, tokens=tok.convert_ids_to_tokens(ids), decoded=tok.decode(ids, skip_special_tokens=True), decoded_raw=tok.decode(ids)))
    with open(f'{into}/{name}/cases.json', 'w') as f: json.dump(cases, f, ensure_ascii=False, indent=0)
    print(name, type(tok).__name__, len(cases), 'cases', len(tok), 'tokens')
SPECIAL = ['<s>', '</s>', '<unk>', '<pad>', '<mask>']
path = folder('camembert-sentencepiece'); train(f'{path}/sentencepiece.bpe.model', 440); halves(path, 'camembert'); make('camembert-sentencepiece', [*SPECIAL, '<s>NOTUSED'])
source = path; path = folder('camembert-tokenizer-json'); t.AutoTokenizer.from_pretrained(source).save_pretrained(path); halves(path, 'camembert'); make('camembert-tokenizer-json', [*SPECIAL, '<unk>NOTUSED'])
# the file alone, as repositories of CamemBERT had it before 5
path = folder('camembert-tokenizer-json-4x'); shutil.copy(f'{into}/camembert-tokenizer-json/tokenizer.json', path)
halves(path, 'camembert', dict(tokenizer_class='CamembertTokenizer', model_max_length=512, bos_token='<s>', mask_token='<mask>', additional_special_tokens=['<s>NOTUSED', '</s>NOTUSED'])); make('camembert-tokenizer-json-4x', [*SPECIAL, '</s>NOTUSED'])
path = folder('xlm-roberta-sentencepiece'); train(f'{path}/sentencepiece.bpe.model', 420, user_defined_symbols=['<sep_a>'], control_symbols=['<ctl>']); halves(path, 'xlm-roberta', dict(tokenizer_class='XLMRobertaTokenizer', model_max_length=512)); make('xlm-roberta-sentencepiece', [*SPECIAL, '<sep_a>', '<ctl>'])
source = path; path = folder('xlm-roberta-tokenizer-json'); t.AutoTokenizer.from_pretrained(source).save_pretrained(path); halves(path, 'xlm-roberta'); make('xlm-roberta-tokenizer-json', SPECIAL)
path = folder('xlm-roberta-no-prefix'); shutil.copy(f'{source}/sentencepiece.bpe.model', path); halves(path, 'xlm-roberta', dict(add_prefix_space=False, mask_token=dict(__type='AddedToken', content='<mask>', lstrip=True, rstrip=False, normalized=True, single_word=False))); make('xlm-roberta-no-prefix', SPECIAL)
path = folder('bert-generation'); train(f'{path}/spiece.model', 420, pad_id=0, eos_id=1, bos_id=2, unk_id=3, user_defined_symbols=['<::::>']); halves(path, 'bert-generation'); make('bert-generation', ['<s>', '</s>', '<unk>', '<pad>', '<::::>'])
# no piece for its separator and padding: they are added behind the others
path = folder('bert-generation-added'); train(f'{path}/spiece.model', 400, model_type='bpe'); halves(path, 'bert-generation', dict(tokenizer_class='BertGenerationTokenizer', model_max_length=40, additional_special_tokens=['<extra>'])); make('bert-generation-added', ['<s>', '</s>', '<unk>', '<pad>', '<::::>', '<extra>'])
path = folder('gpt2-vocab-merges'); bytes_bpe(path); halves(path, 'gpt2'); make('gpt2-vocab-merges', ['<|endoftext|>'])
source = path; path = folder('gpt2-added-begin-end'); bytes_bpe(path); halves(path, 'gpt2', dict(tokenizer_class='GPT2Tokenizer', add_bos_token=True, add_eos_token=True, add_prefix_space=True, pad_token='<pad>', model_max_length=30)); make('gpt2-added-begin-end', ['<|endoftext|>', '<pad>'])
path = folder('gpt2-tokenizer-json'); t.AutoTokenizer.from_pretrained(source).save_pretrained(path); halves(path, 'gpt2'); make('gpt2-tokenizer-json', ['<|endoftext|>'])
path = folder('electra-vocab-txt'); shutil.copy(f'{here}/bert-vocab-txt-uncased/vocab.txt', path); halves(path, 'electra', dict(tokenizer_class='ElectraTokenizer', model_max_length=512)); make('electra-vocab-txt', ['[CLS]', '[SEP]', '[UNK]', '[PAD]', '[MASK]'])
