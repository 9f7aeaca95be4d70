"""Makes tiny multilingual models for tokenizers of tokenizers/ and what transformers 5.17.0 translates with them: translations/NAME.

usage: make-translations.py [NAME…]      (needs torch, transformers, sentencepiece and safetensors)
NAME/config.json, generation_config.json, model.safetensors: random weights in float16.
NAME/cases.json: texts with src_lang and tgt_lang (null: neither given), put in as the tokenizer's own _build_translation_inputs
does for the translation pipeline; and log-probabilities of targets tokenised by text_target, under the model's own labels.
"""
import json, os, sys, torch, transformers as t
here = os.path.dirname(os.path.abspath(__file__)); torch.set_num_threads(1); torch.set_grad_enabled(False)
def bart(**more): return dict(d_model=12, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=64, **more)
MODELS = {   # name: tokenizer's folder, configuration, languages to go through
    'mbart': ('mbart-cc25-tokenizer-json', lambda tok: t.MBartConfig(**bart(vocab_size=len(tok), decoder_start_token_id=tok.convert_tokens_to_ids('ro_RO'))), [('en_XX', 'ro_RO'), ('ro_RO', 'de_DE')]),
    'mbart50': ('mbart50-tokenizer-json', lambda tok: t.MBartConfig(**bart(vocab_size=len(tok), decoder_start_token_id=2)), [('en_XX', 'fr_XX'), ('hi_IN', 'sl_SI')]),
    'nllb': ('nllb-tokenizer-json', lambda tok: t.M2M100Config(**bart(vocab_size=len(tok), decoder_start_token_id=2)), [('eng_Latn', 'fra_Latn'), ('zul_Latn', 'ace_Arab')]),
    'm2m100': ('m2m100', lambda tok: t.M2M100Config(**bart(vocab_size=1279, decoder_start_token_id=2)), [('en', 'fr'), ('zu', 'af')]),
    'plbart': ('plbart-multi', lambda tok: t.PLBartConfig(**bart(vocab_size=len(tok) + 16)), [('java', 'en_XX'), ('__go__', '__python__')]),
    'seamless': ('seamless-m4t-tokenizer-json', lambda tok: t.SeamlessM4TConfig(vocab_size=len(tok), hidden_size=12, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=64), [('eng', 'fra'), ('deu', 'eng')]),
    'marian': ('marian-multilingual', lambda tok: t.MarianConfig(**bart(vocab_size=967, pad_token_id=966, eos_token_id=0, decoder_start_token_id=966)), [(None, 'fra'), (None, 'deu')]),
}
TEXTS = ['The quick brown fox jumps over the lazy dog.', 'one two three', 'It was a bright cold day in April, and the clocks were striking thirteen.']
TARGET = 'three two one'
def inputs(tok, text, source, target):
    if isinstance(tok, t.SeamlessM4TTokenizer): return dict(tok(text, src_lang=source, return_tensors='pt'), **(dict(tgt_lang=target) if target else {}))   # the model's own option
    if hasattr(tok, '_build_translation_inputs') and target: return dict(tok._build_translation_inputs(text, return_tensors='pt', src_lang=source, tgt_lang=target))
    return dict(tok(f'>>{target}<< {text}' if target else text, return_tensors='pt'))   # Marian's users write the code
for name, (folder, config, languages) in MODELS.items():
    if sys.argv[1:] and name not in sys.argv[1:]: continue
    torch.manual_seed(sum(map(ord, name))); load = lambda: t.AutoTokenizer.from_pretrained(f'{here}/tokenizers/{folder}'); into = f'{here}/translations/{name}'
    config = config(load()); model = t.AutoModelForSeq2SeqLM.from_config(config).eval()
    for weight_name, weight in model.state_dict(keep_vars=True).items(): weight.copy_(torch.randn_like(weight) * (0.6 if weight.dim() > 1 else 0.1) + ('norm' in weight_name and weight_name.endswith('weight')))
    if name == 'seamless': model.generation_config.text_decoder_lang_to_code_id = {code: load().convert_tokens_to_ids(f'__{code}__') for code in ('deu', 'eng', 'fra')}; model.generation_config._from_model_config = False
    model.tie_weights(); model.half().save_pretrained(into); model = t.AutoModelForSeq2SeqLM.from_pretrained(into, dtype=torch.float32).eval(); cases, scores = [], []
    for source, target in [(None, None), *languages]:
        for text in TEXTS:
            tok = load(); x = inputs(tok, text, source, target); x.pop('token_type_ids', None)
            for beams in (1, 3):
                if name == 'seamless' and not target: continue   # it makes no sense, says the model
                out = model.generate(**x, num_beams=beams, do_sample=False, max_new_tokens=8, return_dict_in_generate=True, output_scores=True)
                cases.append(dict(text=text, src_lang=source, tgt_lang=target, num_beams=beams, source=x['input_ids'][0].tolist(), token_ids=out.sequences[0][1:].tolist(), output=tok.decode(out.sequences[0], skip_special_tokens=True)))
        if name == 'm2m100' and not target: continue   # it has no default, and raises
        tok = load(); x = inputs(tok, TEXTS[0], source, target); [x.pop(key, None) for key in ('forced_bos_token_id', 'token_type_ids', 'tgt_lang')]
        if target and hasattr(tok, '_build_translation_inputs'): tok.tgt_lang = target if name != 'plbart' else tok._convert_lang_code_special_format(target)
        labels = tok(text_target=TARGET, return_tensors='pt')['input_ids']; logits = model(**x, labels=labels).logits[0]
        scores.append(dict(text=TEXTS[0], target=TARGET, src_lang=source, tgt_lang=target, target_ids=labels[0].tolist(), logprobs=[round(p, 5) for p in logits.log_softmax(-1).gather(1, labels[0][:, None])[:, 0].tolist()]))
    with open(f'{into}/cases.json', 'w') as f: json.dump(dict(tokenizer=folder, transformers=t.__version__, cases=cases, scores=scores), f, ensure_ascii=False)
    print(name, len({tuple(c['token_ids']) for c in cases}), 'different outputs of', len(cases))
