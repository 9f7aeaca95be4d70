"""Makes tiny models of families and what transformers 5.17.0 answers on them: generation/NAME for each NAME given, or for all.

usage: make-generation.py [NAME…] [--into FOLDER]     (needs torch, transformers and safetensors)
NAME/config.json, generation_config.json, model.safetensors: random weights.
NAME/cases.json: 16 generation settings × 5 lines of token ids, each line generated alone in float32.
NAME/tensors.safetensors: encoder states, decoder input ids and logits of the padded batch.
Folders that are not named in MODELS came with the reference cases and are made the same way.
"""
import json, os, sys, torch, transformers as t
from safetensors.torch import save_file
torch.set_num_threads(1); torch.set_grad_enabled(False)
V = 96
def t5(**more): return dict(vocab_size=V, d_model=24, d_kv=8, d_ff=40, num_heads=3, num_layers=3, num_decoder_layers=2, decoder_start_token_id=0, **more)
def gemma(**more): return dict(vocab_size=V, hidden_size=24, intermediate_size=40, num_attention_heads=6, num_key_value_heads=2, head_dim=6, query_pre_attn_scalar=10, **more)
def bert(**more): return dict(vocab_size=V, hidden_size=24, num_attention_heads=3, intermediate_size=40, max_position_embeddings=48, **more)
def gpt2(**more): return dict(vocab_size=V, n_embd=20, n_head=2, n_positions=44, bos_token_id=3, eos_token_id=2, **more)
def halves(encoder, decoder, **more):
    config = t.EncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder, decoder_start_token_id=1, **more)
    config.eos_token_id = 2; config.pad_token_id = 0; return t.EncoderDecoderModel(config)
def seamless(config, **more): return config(vocab_size=V, hidden_size=24, encoder_attention_heads=3, decoder_attention_heads=4, encoder_ffn_dim=44, decoder_ffn_dim=28, max_position_embeddings=64, **more)
def t5gemma2():
    vision = dict(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1, image_size=16, patch_size=8)
    # A window of 5 sees two tokens before and two after in the encoder; theta and factor differ by the type of layer.
    rope = dict(full_attention=dict(rope_type='linear', rope_theta=50000.0, factor=4.0), sliding_attention=dict(rope_type='default', rope_theta=5000.0))
    half = dict(rope_parameters=rope, sliding_window=4, sliding_window_pattern=2)
    config = t.T5Gemma2Config(encoder=dict(text_config=gemma(num_hidden_layers=3, **half), vision_config=vision, mm_tokens_per_image=4, eoi_token_index=50),
                              decoder=gemma(num_hidden_layers=2, final_logit_softcapping=20.0, **half), decoder_start_token_id=2)
    return t.T5Gemma2ForConditionalGeneration(config)
MODELS = {
    # blocks of 3, whose borders float32 rounds; a window narrower than a block
    'longt5-odd': lambda: t.LongT5ForConditionalGeneration(t.LongT5Config(**t5(encoder_attention_type='transient-global', local_radius=1, global_block_size=3, relative_attention_num_buckets=12, relative_attention_max_distance=20, tie_word_embeddings=False))),
    # every layer sparse in the decoder, the third in the encoder; a capacity that the reference ignores
    'switch-odd': lambda: t.SwitchTransformersForConditionalGeneration(t.SwitchTransformersConfig(**t5(num_experts=3, num_sparse_encoder_layers=1, num_sparse_decoder_layers=2, router_bias=True, expert_capacity=1, dense_act_fn='gelu', tie_word_embeddings=False))),
    'bert2gpt2': lambda: halves(t.BertConfig(**bert(num_hidden_layers=2, hidden_act='gelu_new')), t.GPT2Config(**gpt2(n_layer=3, n_inner=36, scale_attn_by_inverse_layer_idx=True))),
    'roberta2bert': lambda: halves(t.RobertaConfig(**bert(num_hidden_layers=2, pad_token_id=0, type_vocab_size=1)), t.BertConfig(**{**bert(num_hidden_layers=2, hidden_act='relu', tie_word_embeddings=False), 'hidden_size': 18})),
    'roberta2roberta': lambda: halves(t.RobertaConfig(**bert(num_hidden_layers=2, pad_token_id=0)), t.RobertaConfig(**bert(num_hidden_layers=2, pad_token_id=0, hidden_act='relu'))),
    't5gemma-odd': lambda: t.T5GemmaForConditionalGeneration(t.T5GemmaConfig(
        encoder=gemma(num_hidden_layers=3, sliding_window=2, attention_bias=True, hidden_activation='silu'),
        decoder={**gemma(num_hidden_layers=2, sliding_window=3, layer_types=['full_attention', 'sliding_attention'], final_logit_softcapping=None, rope_parameters=dict(rope_type='linear', rope_theta=500.0, factor=2.5)), 'hidden_size': 18},
        decoder_start_token_id=2, tie_word_embeddings=False, vocab_size=V)),
    't5gemma2': t5gemma2,
    # The text halves of the whole model, whose speech parts nobody loads; generation without a language, which is what is left of BART.
    'seamless-m4t': lambda: t.SeamlessM4TForTextToText(seamless(t.SeamlessM4TConfig, encoder_layers=3, decoder_layers=2, scale_embedding=False)),
    'seamless-m4t-v2': lambda: t.SeamlessM4Tv2ForTextToText(seamless(t.SeamlessM4Tv2Config, encoder_layers=2, decoder_layers=3, activation_function='gelu', tie_word_embeddings=False)),
}
GREEDY, BEAM = dict(num_beams=1, do_sample=False, max_new_tokens=20), dict(num_beams=4, do_sample=False, max_new_tokens=20)
CASES = {
    'greedy': GREEDY, 'greedy-min-length': {**GREEDY, 'min_new_tokens': 10}, 'greedy-repetition-penalty': {**GREEDY, 'repetition_penalty': 1.7}, 'greedy-no-repeat-2': {**GREEDY, 'no_repeat_ngram_size': 2},
    'greedy-encoder-repetition': {**GREEDY, 'encoder_repetition_penalty': 1.5}, 'greedy-encoder-no-repeat': {**GREEDY, 'encoder_no_repeat_ngram_size': 2}, 'greedy-bad-words': {**GREEDY, 'bad_words_ids': [[7], [9, 11], [40, 41, 42]]},
    'greedy-suppress': {**GREEDY, 'suppress_tokens': [5, 6, 7, 8, 30, 31], 'begin_suppress_tokens': [10, 20]}, 'greedy-forced': {**GREEDY, 'max_new_tokens': 12, 'forced_bos_token_id': 17, 'forced_eos_token_id': 3},
    'beam4': BEAM, 'beam4-early': {**BEAM, 'early_stopping': True}, 'beam4-never': {**BEAM, 'early_stopping': 'never', 'length_penalty': 0.6}, 'beam4-length-penalty-2': {**BEAM, 'length_penalty': 2.0}, 'beam4-length-penalty-0': {**BEAM, 'length_penalty': 0.0},
    'beam5-return5': {**BEAM, 'num_beams': 5, 'num_return_sequences': 5}, 'beam3-no-repeat-3-min': {**BEAM, 'num_beams': 3, 'max_new_tokens': 24, 'no_repeat_ngram_size': 3, 'min_new_tokens': 6},
}
def randomize(model):
    for name, weight in model.state_dict(keep_vars=True).items():
        if not weight.is_floating_point(): continue
        if 'norm' in name.lower() and name.endswith('weight') or '.ln_' in name and name.endswith('weight'): weight.copy_(1 + 0.2 * torch.randn_like(weight))
        elif weight.dim() == 1: weight.copy_(0.1 * torch.randn_like(weight))
        elif 'relative_attention_bias' in name or 'position' in name or 'wpe' in name: weight.copy_(torch.randn_like(weight))
        elif 'embed' in name or 'shared' in name or 'wte' in name: weight.copy_(0.6 * torch.randn_like(weight))
        else: weight.copy_(1.6 * weight.shape[-1] ** -0.5 * torch.randn_like(weight))
def make(name, into):
    torch.manual_seed(sum(map(ord, name))); model = MODELS[name]().eval(); randomize(model); model.tie_weights(); folder = f'{into}/{name}'
    model.save_pretrained(folder); model = type(model).from_pretrained(folder).eval(); eos, pad = model.generation_config.eos_token_id, model.generation_config.pad_token_id
    lines = [[int(x) for x in torch.randint(4, V, (n,))] + [eos] for n in (12, 5, 8, 1, 17)]
    if name == 't5gemma2': lines[0][3] = 50   # the end of an image, whose embedding is not scaled
    cases = []
    for case, options in CASES.items():
        sequences, scores = [], []
        for line in lines:
            x = torch.tensor([line]); out = model.generate(x, attention_mask=torch.ones_like(x), return_dict_in_generate=True, output_scores=True, **options)
            sequences += out.sequences.tolist()
            if options['num_beams'] > 1: scores += [round(float(s), 6) for s in out.sequences_scores]
        cases.append(dict(name=case, generation=options, sequences=sequences, **(dict(sequences_scores=scores) if scores else {})))
    with open(f'{folder}/cases.json', 'w') as f: json.dump(dict(family=name, transformers=t.__version__, torch=torch.__version__, input_ids=lines, special=[pad, eos], cases=cases), f)
    longest = max(map(len, lines)); x = torch.tensor([line + [pad] * (longest - len(line)) for line in lines]); mask = torch.tensor([[1] * len(line) + [0] * (longest - len(line)) for line in lines])
    start = model.generation_config.decoder_start_token_id; decoder = torch.cat([torch.full((5, 1), start), torch.randint(4, V, (5, 6))], 1)
    out = model(input_ids=x, attention_mask=mask, decoder_input_ids=decoder)
    save_file(dict(encoder_last_hidden_state=out.encoder_last_hidden_state.contiguous(), decoder_input_ids=decoder, logits=out.logits.contiguous()), f'{folder}/tensors.safetensors')
    first = cases[0]['sequences']; print(name, 'distinct tokens of the first line:', len(set(first[0])), 'of', len(first[0]))
if __name__ == '__main__':
    args = sys.argv[1:]; into = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'generation')
    if '--into' in args: i = args.index('--into'); into = args[i + 1]; del args[i:i + 2]
    for name in args or MODELS: make(name, into)
