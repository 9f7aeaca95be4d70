"""Makes tokenizers/seamless-m4t-*: what SeamlessM4TTokenizer of transformers 5.17.0 answers on the pieces of NLLB's folders.

usage: make-seamless-tokenizers.py      (needs transformers, tokenizers and sentencepiece)
"""
import json, os, shutil, transformers as t
here = os.path.dirname(os.path.abspath(__file__)) + '/tokenizers'
CODES = [f'__{code}__' for code in ('deu', 'eng', 'fra', 'zul')]
def folder(name): os.makedirs(f'{here}/{name}', exist_ok=True); return f'{here}/{name}'
def config(into, **more):
    with open(f'{into}/config.json', 'w') as f: json.dump(dict(model_type='seamless_m4t', is_encoder_decoder=True, pad_token_id=0, eos_token_id=3, bos_token_id=2), f, indent=2)
    if more:
        with open(f'{into}/tokenizer_config.json', 'w') as f: json.dump(more, f, indent=2)
nllb = json.load(open(f'{here}/nllb-tokenizer-json/tokenizer.json'))['model']; first = ['<pad>', '<unk>', '<s>', '</s>']
pieces = first + [piece for piece in nllb['vocab'] if piece not in first and '_' not in piece and piece != '<mask>']
into = folder('seamless-m4t-tokenizer-json'); merges = [tuple(m) for m in nllb['merges'] if set((*m, ''.join(m))) <= set(pieces)]
t.SeamlessM4TTokenizer(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges, extra_special_tokens=CODES, model_max_length=1024).save_pretrained(into); config(into)
into = folder('seamless-m4t-sentencepiece'); shutil.copy(f'{here}/nllb-sentencepiece/sentencepiece.bpe.model', into)
config(into, tokenizer_class='SeamlessM4TTokenizer', src_lang='eng', tgt_lang='fra', additional_special_tokens=CODES, model_max_length=1024)
texts = [c['text'] for c in json.load(open(f'{here}/nllb-tokenizer-json/cases.json')) if c['op'] == 'encode' and not c.get('kwargs') and c.get('text_pair') is None]
for name in ('seamless-m4t-tokenizer-json', 'seamless-m4t-sentencepiece'):
    load = lambda: t.AutoTokenizer.from_pretrained(f'{here}/{name}'); cases = []; assert type(load()).__name__ == 'SeamlessM4TTokenizer'
    def encode(text, kwargs, **call):
        tok = load(); ids = tok(text, **call)['input_ids'] if not call.pop('target', False) else tok(text_target=text, **call)['input_ids']
        cases.append(dict(op='encode', text=text, kwargs=kwargs, ids=ids, tokens=tok.convert_ids_to_tokens(ids), decoded=tok.decode(ids, skip_special_tokens=True), decoded_raw=tok.decode(ids)))
    for text in texts: encode(text, {})
    for text in texts[:6]:
        encode(text, dict(src_lang='deu'), src_lang='deu'); encode(text, dict(src_lang='__zul__'), src_lang='__zul__')
        encode(text, dict(tgt_lang='fra', as_target=True), target=True, tgt_lang='fra'); encode(text, dict(tgt_lang='__eng__', as_target=True), target=True, tgt_lang='__eng__')
        encode(text, dict(truncation=True, max_length=6), truncation=True, max_length=6); encode(text, dict(add_special_tokens=False), add_special_tokens=False)
    with open(f'{here}/{name}/cases.json', 'w') as f: json.dump(cases, f, ensure_ascii=False, indent=0)
    print(name, len(cases), 'cases', len(load()), 'tokens')
