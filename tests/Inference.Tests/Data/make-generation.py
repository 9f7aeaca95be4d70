"""Makes what transformers 5.17.0 answers on tiny models of families: generation/NAME for each NAME given, or for all.

usage: make-generation.py [NAME…] [--into FOLDER]     (needs torch, transformers and safetensors)
NAME/config.json, generation_config.json, model.safetensors: random weights.
NAME/cases.json: generation settings × lines of token ids, each line generated alone in float32.
NAME/tensors.safetensors: encoder states, decoder input ids and logits of the padded batch.
The weights of a NAME in MODELS are drawn anew (the same on the same version of torch); those of the other folders came with the
reference cases and stay, with their lines and settings: their answers are made anew.
"""
import json, os, shutil, sys, torch, transformers as t
from safetensors.torch import load_file, save_file
from transformers.models.nllb_moe import modeling_nllb_moe as nllb_moe
torch.set_num_threads(1); torch.set_grad_enabled(False); t.logging.set_verbosity_error()
V = 96
def t5(**more): return dict(vocab_size=V, d_model=24, d_kv=8, d_ff=40, num_heads=3, num_layers=3, num_decoder_layers=2, decoder_start_token_id=0, **more)
def bart(**more): return dict(vocab_size=V, d_model=24, encoder_layers=3, decoder_layers=2, encoder_attention_heads=3, decoder_attention_heads=2, encoder_ffn_dim=40, decoder_ffn_dim=28, **more)
def gemma(**more): return dict(vocab_size=V, hidden_size=24, intermediate_size=40, num_attention_heads=6, num_key_value_heads=2, head_dim=6, query_pre_attn_scalar=10, **more)
def bert(**more): return dict(vocab_size=V, hidden_size=24, num_attention_heads=3, intermediate_size=40, max_position_embeddings=48, **more)
def gpt2(**more): return dict(vocab_size=V, n_embd=20, n_head=2, n_positions=44, bos_token_id=3, eos_token_id=2, **more)
def distilbert(**more): return dict(vocab_size=V, dim=24, n_heads=3, hidden_dim=40, max_position_embeddings=48, **more)
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
    # GPT-2 in front: causal there too
    'gpt2-to-gpt2': lambda: halves(t.GPT2Config(**{**gpt2(n_layer=3, n_inner=36, scale_attn_by_inverse_layer_idx=True, reorder_and_upcast_attn=True), 'n_embd': 24, 'n_head': 3}), t.GPT2Config(**gpt2(n_layer=2, activation_function='relu', tie_word_embeddings=False))),
    'gpt2-to-bert': lambda: halves(t.GPT2Config(**{**gpt2(n_layer=2, scale_attn_weights=False, activation_function='silu'), 'n_embd': 24, 'n_head': 4}), t.BertConfig(**bert(num_hidden_layers=2))),
    # one set of weights for both halves: see shared()
    'camembert2camembert': lambda: halves(t.CamembertConfig(**bert(num_hidden_layers=2, pad_token_id=0)), t.CamembertConfig(**bert(num_hidden_layers=2, pad_token_id=0))),
    'xlm-roberta2xlm-roberta': lambda: halves(t.XLMRobertaConfig(**bert(num_hidden_layers=3, pad_token_id=3, type_vocab_size=1)), t.XLMRobertaConfig(**bert(num_hidden_layers=2, pad_token_id=3, hidden_act='gelu_new', tie_word_embeddings=False))),
    'bert-generation2bert-generation': lambda: halves(t.BertGenerationConfig(**bert(num_hidden_layers=2, hidden_act='relu')), t.BertGenerationConfig(**{**bert(num_hidden_layers=3, layer_norm_eps=1e-5), 'hidden_size': 18})),
    'distilbert2electra': lambda: halves(t.DistilBertConfig(**distilbert(n_layers=3, activation='relu')), t.ElectraConfig(**bert(num_hidden_layers=2, embedding_size=16, hidden_act='relu'))),
    # an encoder that was made to be a decoder is causal
    'electra2electra': lambda: halves(t.ElectraConfig(**bert(num_hidden_layers=2, embedding_size=12, is_decoder=True)), t.ElectraConfig(**bert(num_hidden_layers=2, embedding_size=20, hidden_act='gelu_new', tie_word_embeddings=False))),
    't5gemma-odd': lambda: t.T5GemmaForConditionalGeneration(t.T5GemmaConfig(
        encoder=gemma(num_hidden_layers=3, sliding_window=2, attention_bias=True, hidden_activation='silu'),
        decoder={**gemma(num_hidden_layers=2, sliding_window=3, layer_types=['full_attention', 'sliding_attention'], final_logit_softcapping=None, rope_parameters=dict(rope_type='linear', rope_theta=500.0, factor=2.5)), 'hidden_size': 18},
        decoder_start_token_id=2, tie_word_embeddings=False, vocab_size=V)),
    't5gemma2': t5gemma2,
    # The text halves of the whole model, whose speech parts nobody loads; generation without a language, which is what is left of BART.
    'seamless-m4t': lambda: t.SeamlessM4TForTextToText(seamless(t.SeamlessM4TConfig, encoder_layers=3, decoder_layers=2, scale_embedding=False)),
    'seamless-m4t-v2': lambda: t.SeamlessM4Tv2ForTextToText(seamless(t.SeamlessM4Tv2Config, encoder_layers=2, decoder_layers=3, activation_function='gelu', tie_word_embeddings=False)),
    # blocks of 3, so that a line is sparse from 22 tokens on, ends within a block, and has few blocks or many
    'bigbird-pegasus-sparse': lambda: t.BigBirdPegasusForConditionalGeneration(t.BigBirdPegasusConfig(**bart(attention_type='block_sparse', block_size=3, num_random_blocks=1, use_bias=True, max_position_embeddings=96, activation_function='silu'))),
    # windows of 4 and 8 tokens; in some cases the first token has global attention
    'led-global': lambda: t.LEDForConditionalGeneration(t.LEDConfig(**bart(attention_window=[4, 8, 4], max_encoder_position_embeddings=64, max_decoder_position_embeddings=48, activation_function='relu'))),
    # what AsPublished computes: see published()
    'fsmt-published': lambda: t.FSMTForConditionalGeneration(t.FSMTConfig(langs=['en', 'de'], src_vocab_size=V, tgt_vocab_size=V + 8, **{k: v for k, v in bart(max_position_embeddings=40, scale_embedding=False).items() if k != 'vocab_size'})),
    'nllb-moe-published': lambda: t.NllbMoeForConditionalGeneration(t.NllbMoeConfig(**bart(num_experts=5, encoder_sparse_step=2, decoder_sparse_step=1, router_bias=True, scale_embedding=False, batch_prioritized_routing=True, expert_capacity=3))),
}
GREEDY, BEAM = dict(num_beams=1, do_sample=False, max_new_tokens=20), dict(num_beams=4, do_sample=False, max_new_tokens=20)
CASES = {
    'greedy': GREEDY, 'greedy-min-length': {**GREEDY, 'min_new_tokens': 10}, 'greedy-repetition-penalty': {**GREEDY, 'repetition_penalty': 1.7}, 'greedy-no-repeat-2': {**GREEDY, 'no_repeat_ngram_size': 2},
    'greedy-encoder-repetition': {**GREEDY, 'encoder_repetition_penalty': 1.5}, 'greedy-encoder-no-repeat': {**GREEDY, 'encoder_no_repeat_ngram_size': 2}, 'greedy-bad-words': {**GREEDY, 'bad_words_ids': [[7], [9, 11], [40, 41, 42]]},
    'greedy-suppress': {**GREEDY, 'suppress_tokens': [5, 6, 7, 8, 30, 31], 'begin_suppress_tokens': [10, 20]}, 'greedy-forced': {**GREEDY, 'max_new_tokens': 12, 'forced_bos_token_id': 17, 'forced_eos_token_id': 3},
    'beam4': BEAM, 'beam4-early': {**BEAM, 'early_stopping': True}, 'beam4-never': {**BEAM, 'early_stopping': 'never', 'length_penalty': 0.6}, 'beam4-length-penalty-2': {**BEAM, 'length_penalty': 2.0}, 'beam4-length-penalty-0': {**BEAM, 'length_penalty': 0.0},
    'beam5-return5': {**BEAM, 'num_beams': 5, 'num_return_sequences': 5}, 'beam3-no-repeat-3-min': {**BEAM, 'num_beams': 3, 'max_new_tokens': 24, 'no_repeat_ngram_size': 3, 'min_new_tokens': 6},
}
GLOBAL = {'greedy-global': {**GREEDY, 'global_attention': 'first_token'}, 'beam4-global': {**BEAM, 'global_attention': 'first_token'}}
LENGTHS = {'bigbird-pegasus-sparse': (29, 22, 40, 23, 6)}
def randomize(model):
    for name, weight in model.state_dict(keep_vars=True).items():
        if not weight.is_floating_point(): continue
        if 'norm' in name.lower() and name.endswith('weight') or '.ln_' in name and name.endswith('weight'): weight.copy_(1 + 0.2 * torch.randn_like(weight))
        elif weight.dim() == 1: weight.copy_(0.1 * torch.randn_like(weight))
        elif 'relative_attention_bias' in name or 'position' in name or 'wpe' in name: weight.copy_(torch.randn_like(weight))
        elif 'embed' in name or 'shared' in name or 'wte' in name: weight.copy_(0.6 * torch.randn_like(weight))
        else: weight.copy_(1.6 * weight.shape[-1] ** -0.5 * torch.randn_like(weight))
def shared(model):
    """One set of weights for both halves, as tie_encoder_decoder of older versions had it."""
    half = model.decoder.roberta.state_dict()
    for name, weight in model.encoder.state_dict().items():
        if name in half: half[name].copy_(weight)
    model.config.tie_encoder_decoder = True
def published(model):
    """The computation that the model was trained for: see docs/decisions/0013-as-published.md."""
    if model.config.model_type == 'fsmt':
        decoder = model.model.decoder; forward, table = decoder.forward, decoder.embed_positions; past = [0]
        def step(*given, past_key_values=None, **more):
            past[0] = 0 if past_key_values is None else past_key_values.get_seq_length()
            return forward(*given, past_key_values=past_key_values, **more)
        def positions(tokens):
            rows = table.make_positions(tokens, table.padding_idx); return torch.nn.functional.embedding(torch.where(rows == table.padding_idx, rows, rows + past[0]), table.weight)
        decoder.forward, table.forward = step, positions
    def experts(self, hidden_states, router_mask, router_probs):
        result = torch.zeros_like(hidden_states)
        for number in range(self.num_experts):
            tokens = router_probs[:, number].nonzero()[:, 0]
            result[tokens] += self[f'expert_{number}'](hidden_states[tokens]) * router_probs[tokens, number, None] * (1 - self.moe_token_dropout)
        return result
    nllb_moe.NllbMoeExperts.forward = experts
def generate(model, line, options):
    if hasattr(model.model if hasattr(model, 'model') else model, 'encoder') and model.config.model_type == 'bigbird_pegasus': model.model.encoder.set_attention_type(model.config.attention_type)   # a short line has set it to full for all that follow
    options = dict(options); x = torch.tensor([line]); more = {}
    if options.pop('global_attention', None): more = dict(global_attention_mask=torch.tensor([[1] + [0] * (len(line) - 1)]))
    return model.generate(x, attention_mask=torch.ones_like(x), return_dict_in_generate=True, output_scores=True, **more, **options)
def answer(model, lines, settings):
    cases = []
    for name, options in settings.items():
        sequences, scores = [], []
        for line in lines:
            out = generate(model, line, options); sequences += out.sequences.tolist()
            if options['num_beams'] > 1: scores += [round(float(s), 6) for s in out.sequences_scores]
        cases.append(dict(name=name, generation=options, sequences=sequences, **(dict(sequences_scores=scores) if scores else {})))
    return cases
def tensors(model, lines, decoder, pad):
    """Of the padded batch; where padding changes a line in the reference, of each line alone, and padded then."""
    def run(batch):
        longest = max(map(len, batch)); x = torch.tensor([line + [pad] * (longest - len(line)) for line in batch]); mask = torch.tensor([[1] * len(line) + [0] * (longest - len(line)) for line in batch])
        out = model(input_ids=x, attention_mask=mask, decoder_input_ids=decoder[[lines.index(line) for line in batch]], use_cache=False); return out.encoder_last_hidden_state, out.logits
    if model.config.model_type not in ('bigbird_pegasus', 'nllb-moe'): states, logits = run(lines)
    else:
        alone = []
        for line in lines:
            if model.config.model_type == 'bigbird_pegasus': model.model.encoder.set_attention_type(model.config.attention_type)
            alone.append(run([line]))
        longest = max(map(len, lines)); states = torch.cat([torch.nn.functional.pad(s[:, :longest], (0, 0, 0, longest - min(longest, s.shape[1]))) for s, _ in alone]); logits = torch.cat([l for _, l in alone])
    return dict(encoder_last_hidden_state=states.contiguous(), decoder_input_ids=decoder, logits=logits.contiguous())
def make(name, into):
    folder = f'{into}/{name}'
    if name in MODELS:
        torch.manual_seed(sum(map(ord, name))); model = MODELS[name]().eval(); randomize(model); model.tie_weights()
        if name == 'camembert2camembert': shared(model)
        model.save_pretrained(folder); model = type(model).from_pretrained(folder).eval(); eos, pad = model.generation_config.eos_token_id, model.generation_config.pad_token_id
        if name.endswith('-published'): published(model)
        lines = [[int(x) for x in torch.randint(4, V, (n,))] + [eos] for n in LENGTHS.get(name, (12, 5, 8, 1, 17))]
        if name == 't5gemma2': lines[0][3] = 50   # the end of an image, whose embedding is not scaled
        cases = answer(model, lines, {**CASES, **(GLOBAL if name == 'led-global' else {})})
        start = model.generation_config.decoder_start_token_id; decoder = torch.cat([torch.full((5, 1), start), torch.randint(4, V, (5, 6))], 1)
        data = dict(family=name, transformers=t.__version__, torch=torch.__version__, input_ids=lines, special=[pad, eos], **(dict(as_published=True) if name.endswith('-published') else {}), cases=cases)
    else:
        given = f'{HERE}/{name}'; model = t.AutoModelForSeq2SeqLM.from_pretrained(given, dtype=torch.float32).eval(); data = json.load(open(f'{given}/cases.json')); lines = data['input_ids']; pad = data['special'][0]
        if into != HERE: shutil.copytree(given, folder, dirs_exist_ok=True)
        decoder = load_file(f'{given}/tensors.safetensors')['decoder_input_ids']
        data['cases'] = answer(model, lines, {case['name']: case['generation'] for case in data['cases']})
    with open(f'{folder}/cases.json', 'w') as f: json.dump(data, f)
    save_file(tensors(model, lines, decoder, pad), f'{folder}/tensors.safetensors')
    first = data['cases'][0]['sequences']; print(name, 'distinct tokens of the first line:', len(set(first[0])), 'of', len(first[0]), flush=True)
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'generation')
if __name__ == '__main__':
    args = sys.argv[1:]; into = HERE
    if '--into' in args: i = args.index('--into'); into = args[i + 1]; del args[i:i + 2]
    # What is published changes a class: last.
    for name in args or sorted({*MODELS, *os.listdir(HERE)}, key=lambda name: (name.endswith('-published'), name)): make(name, into)
