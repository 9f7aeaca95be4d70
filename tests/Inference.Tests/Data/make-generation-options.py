"""Makes generation-options.json anew: what transformers 5.17 answers under options that the families' cases.json leave out.

usage: make-generation-options.py            (needs torch and transformers; two minutes on one core)
fields     the names of GenerationConfig's options
warpers    rows of scores, and for each setting of sampling the scores that its processors leave (null: minus infinity)
families   for models of generation/: token log-probabilities (compute_transition_scores, normalised) under the cases of
           cases.json, and of given targets (log_softmax of the logits under teacher forcing); outputs after a prompt of the decoder
           (prompts), of a given set (allowed) and of groups of beams (groups)
stops      for tokenizers of tokenizers/: token ids, stop strings, and after which token the first of them stands (-1: none)
stopped    the bundled model's outputs under stop strings
Groups of beams left transformers with version 5. Their answers come from group_beam_search below, a small one written after
GenerationMixin._group_beam_search, BeamSearchScorer and HammingDiversityLogitsProcessor of transformers 4.50, on 5.17's models and
processors. It differs in keeping the end token that was chosen, where those wrote the first of several.
"""
import json, math, os, random, torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, GenerationConfig
from transformers.generation.stopping_criteria import StopStringCriteria
from transformers.modeling_outputs import BaseModelOutput
here = os.path.dirname(os.path.abspath(__file__)); torch.set_num_threads(1); torch.set_grad_enabled(False); torch.manual_seed(5)
number = lambda x: None if x == -math.inf else float(f'{x:.6g}')

def warpers():
    rows = torch.randn(6, 64) * torch.tensor([[0.3], [1.], [2.], [3.], [1.], [5.]]); rows[4, ::3] = -math.inf
    rows = torch.tensor([[float(f'{x:.6g}') for x in row] for row in rows.tolist()])
    settings = [dict(temperature=0.7, top_k=0), dict(top_k=5), dict(top_k=0, top_p=0.9), dict(top_k=0, top_p=0.3), dict(top_k=0, min_p=0.1), dict(top_k=0, typical_p=0.8),
                dict(top_k=0, typical_p=0.2), dict(top_k=0, epsilon_cutoff=0.02), dict(top_k=0, eta_cutoff=0.03), dict(temperature=1.4, top_k=20, top_p=0.85, min_p=0.02, typical_p=0.95, epsilon_cutoff=1e-3, eta_cutoff=1e-3),
                dict(top_k=1, num_beams=2), dict(top_k=0, top_p=0.05, num_beams=2), dict(top_k=0, min_p=0.99, num_beams=2), dict(top_k=0, epsilon_cutoff=0.9, num_beams=2), dict(top_k=0, typical_p=0.01, num_beams=2)]
    model = AutoModelForSeq2SeqLM.from_pretrained(f'{here}/generation/t5', dtype=torch.float32).eval(); cases = []
    for s in settings:
        config = GenerationConfig(do_sample=True, **s); config._eos_token_tensor = torch.tensor([1])
        config = model._prepare_generation_config(config)[0]; model._prepare_special_tokens(config, True)
        processors = model._get_logits_processor(config, input_ids_seq_length=1, encoder_input_ids=torch.tensor([[1]]))
        cases.append({'parameters': s, 'scores': [[number(x) for x in row] for row in processors(torch.zeros(6, 1, dtype=torch.long), rows.clone()).tolist()]})
    return {'rows': [[number(x) for x in row] for row in rows.tolist()], 'cases': cases}

def family(name):
    cases = json.load(open(f'{here}/generation/{name}/cases.json')); model = AutoModelForSeq2SeqLM.from_pretrained(f'{here}/generation/{name}', dtype=torch.float32).eval()
    end = cases['special'][1]; logprobs, targets = {}, []
    for case in cases['cases']:
        if 'error' in case: continue
        lines = []
        for ids in cases['input_ids']:
            out = model.generate(torch.tensor([ids]), return_dict_in_generate=True, output_scores=True, **case['generation'])
            scores = model.compute_transition_scores(out.sequences, out.scores, getattr(out, 'beam_indices', None), normalize_logits=True)
            outputs = []
            for sequence, row in zip(out.sequences.tolist(), scores.tolist()):
                tokens = sequence[1:]; length = tokens.index(end) + 1 if end in tokens else len(tokens)
                outputs.append([number(round(x, 5)) for x in row[:length]])
            lines.append(outputs)
        logprobs[case['name']] = lines
    start = model.generation_config.decoder_start_token_id
    for k, ids in enumerate(cases['input_ids']):
        target = torch.randint(2, model.config.vocab_size - 1, (3 + 9 * k,)).tolist() + [end]
        logits = model(input_ids=torch.tensor([ids]), decoder_input_ids=torch.tensor([[start] + target[:-1]])).logits[0]
        targets.append({'target': target, 'logprobs': [number(round(x, 5)) for x in logits.log_softmax(-1).gather(1, torch.tensor(target)[:, None])[:, 0].tolist()]})
    return {'token_logprobs': logprobs, 'targets': targets, **more(name, model, cases['input_ids'], end)}

def outputs_of(out, end, prompt=1):
    scores = getattr(out, 'sequences_scores', None); outputs = []
    for k, sequence in enumerate(out.sequences.tolist()):
        generated = len(sequence) - prompt if scores is None else (out.beam_indices[k] >= 0).sum().item()   # what is behind is padding
        rest = sequence[prompt:prompt + generated]; tokens = sequence[1:prompt] + (rest[:rest.index(end) + 1] if end in rest else rest)
        outputs.append({'tokens': tokens, 'score': None if scores is None else round(scores[k].item(), 5)})
    return outputs

# Where more beams than members are asked for, transformers fills up with doubles.
once = lambda outputs: [o for k, o in enumerate(outputs) if all(o['tokens'] != e['tokens'] for e in outputs[:k])]

def more(name, model, lines, end):
    r = random.Random(name); vocabulary = model.config.vocab_size; start = model.generation_config.decoder_start_token_id; word = lambda: r.randrange(3, vocabulary - 1)
    ask = lambda ids, **s: model.generate(torch.tensor([ids]), return_dict_in_generate=True, output_scores=True, do_sample=False, **s)
    prompts, allowed, groups = [], [], []
    for length in (1, 3, 40):
        for s in (dict(max_new_tokens=8), dict(num_beams=4, max_new_tokens=8, num_return_sequences=2), dict(max_length=length + 9, no_repeat_ngram_size=1, repetition_penalty=1.3, forced_eos_token_id=7),
                  dict(num_beams=3, max_length=length + 9, min_new_tokens=4, length_penalty=0.5, early_stopping='never', begin_suppress_tokens=list(range(20, 60)), forced_bos_token_id=9), dict(num_beams=2, min_length=length + 5), dict(num_beams=2, exponential_decay_length_penalty=[3, 1.4])):
            prompt = [word() for _ in range(length)] if length != 3 else [start, word(), word()]; n = length + (length != 3)
            prompts.append({'parameters': {**s, 'decoder_input_ids': prompt}, 'lines': [outputs_of(ask(ids, decoder_input_ids=torch.tensor([prompt]), **s), end, n) for ids in lines[:3]]})
    for s in (dict(), dict(num_beams=4, num_return_sequences=3), dict(num_beams=3, length_penalty=0.0), dict(num_beams=2, decoder_input_ids=True), dict(num_beams=6, num_return_sequences=6, count=3)):
        letters = [word() for _ in range(6)]; members = [[r.choice(letters) for _ in range(r.randint(1, 6))] for _ in range(s.pop('count', 30))]; trie = {}
        members += [members[0] + [word()]] if len(members) > 3 else []
        for member in members:
            node = trie
            for token in member + [end]: node = node.setdefault(token, {})
        def follow(_, sequence):
            node = trie
            for token in sequence.tolist()[1:]: node = node.get(token, {})
            return list(node) or [end]
        prompt = members[0][:1] if s.pop('decoder_input_ids', None) else None
        kwargs = {} if prompt is None else {'decoder_input_ids': torch.tensor([prompt])}
        allowed.append({'parameters': {**s, 'max_new_tokens': 9, 'allowed_outputs': members, **({} if prompt is None else {'decoder_input_ids': prompt})},
                        'lines': [once(outputs_of(ask(ids, prefix_allowed_tokens_fn=follow, max_new_tokens=9, **s, **kwargs), end, 1 + len(prompt or []))) for ids in lines]})
    for s in (dict(num_beams=4, num_beam_groups=2, diversity_penalty=1.0, num_return_sequences=4), dict(num_beams=4, num_beam_groups=4, diversity_penalty=0.5, num_return_sequences=4, length_penalty=2.0),
              dict(num_beams=6, num_beam_groups=2, diversity_penalty=3.0, num_return_sequences=3, early_stopping=True, min_new_tokens=3), dict(num_beams=6, num_beam_groups=3, diversity_penalty=0.7, num_return_sequences=6, early_stopping='never', length_penalty=0.6),
              dict(num_beams=4, num_beam_groups=2, diversity_penalty=1.5, num_return_sequences=4, repetition_penalty=1.5, no_repeat_ngram_size=2, forced_bos_token_id=9, eos_token_id=[end, 5, 11]),
              dict(num_beams=4, num_beam_groups=2, diversity_penalty=1.0, num_return_sequences=2, length_penalty=-1.0, decoder_input_ids=[8, 9, 10], renormalize_logits=True)):
        s['max_new_tokens'] = 10; groups.append({'parameters': s, 'lines': [group_beam_search(model, ids, s) for ids in lines]})
    return {'prompts': prompts, 'allowed': allowed, 'groups': groups}

def group_beam_search(model, ids, s):
    own = dict(s); groups, penalty, prompt = own.pop('num_beam_groups'), own.pop('diversity_penalty'), own.pop('decoder_input_ids', [])
    config = model._prepare_generation_config(GenerationConfig(do_sample=False, **own))[0]; model._prepare_special_tokens(config, True)
    prompt = [config.decoder_start_token_id] + prompt; n = len(prompt); config.max_length = config.max_new_tokens + n
    if config.min_new_tokens: config.min_length = config.min_new_tokens + n
    ends = config._eos_token_tensor.tolist(); pad = int(config._pad_token_tensor); size = config.num_beams // groups; lp = config.length_penalty
    biased = config.sequence_bias is not None   # the diversity's place is behind the sequence bias
    processors = model._get_logits_processor(config, input_ids_seq_length=n, encoder_input_ids=torch.tensor([ids]))
    states = model.get_encoder()(torch.tensor([ids])).last_hidden_state
    beams = [[(0.0 if b == 0 else -1e9, prompt, []) for b in range(size)] for _ in range(groups)]; hyps = [[] for _ in range(groups)]; done = [False] * groups; length = n
    def add(g, tokens, total, probs, generated):
        score = total / generated ** lp
        if len(hyps[g]) < size or score > min(h[0] for h in hyps[g]):
            hyps[g].append((score, tokens, probs))
            if len(hyps[g]) > size: hyps[g].remove(min(hyps[g], key=lambda h: h[0]))
    while True:
        chosen = torch.zeros(model.config.vocab_size)
        for g in range(groups):
            if done[g]: chosen[pad] += size; continue
            sequences = torch.tensor([b[1] for b in beams[g]])
            logits = model(encoder_outputs=BaseModelOutput(last_hidden_state=states.expand(size, -1, -1)), decoder_input_ids=sequences).logits[:, -1].float()
            scores = logits.log_softmax(-1); processed = list(processors)
            for k, processor in enumerate(processed[:1] if biased else []): scores = processor(sequences, scores)
            if g > 0: scores = scores - penalty * chosen
            for processor in processed[1 if biased else 0:]: scores = processor(sequences, scores)
            probs = scores.log_softmax(-1); total = scores + torch.tensor([b[0] for b in beams[g]])[:, None]
            values, places = total.view(-1).topk(max(2, 1 + len(ends)) * size); following = []
            for rank, (value, place) in enumerate(zip(values.tolist(), places.tolist())):
                parent, token = divmod(place, scores.shape[-1]); _, before, earlier = beams[g][parent]; entry = (value, before + [token], earlier + [probs[parent, token].item()])
                if token in ends:
                    if rank < size: add(g, entry[1], value, entry[2], length + 1 - n)
                else: following.append(entry)
                if len(following) == size: break
            best = values.max().item(); worst = min((h[0] for h in hyps[g]), default=0)
            longest = config.max_length if config.early_stopping == 'never' and lp > 0 else length + 1
            done[g] = len(hyps[g]) >= size and (config.early_stopping is True or worst >= best / (longest - n) ** lp)
            beams[g] = following
            for b in following: chosen[b[1][-1]] += 1
        length += 1
        if all(done) or length >= config.max_length: break
    for g in range(groups):
        if not done[g]:
            for total, tokens, probs in beams[g]: add(g, tokens, total, probs, length - n)
    found = sorted((h for group in hyps for h in group), key=lambda h: h[0])
    return [{'tokens': tokens[1:], 'score': round(score, 5), 'logprobs': [number(round(x, 5)) for x in probs]} for score, tokens, probs in found[::-1][:config.num_return_sequences]]

# Of their tokens of bytes transformers drops half characters, or takes them for text (<0x7D>).
LEFT_OUT = ('byt5', 'mt5-sentencepiece-bytefallback')

def stops():
    answers = {}
    for root, _, files in sorted(os.walk(f'{here}/tokenizers')):
        if 'cases.json' not in files or '/zoo/' in root or os.path.basename(root) in LEFT_OUT: continue
        folder = os.path.relpath(root, f'{here}/tokenizers'); r = random.Random(folder)
        try:
            tokenizer = AutoTokenizer.from_pretrained(root); clean = StopStringCriteria.clean_tokenizer_vocab(tokenizer, stop_string_matching_mode=StopStringCriteria._get_stop_string_matching_mode(tokenizer))
        except Exception as e: print(folder, 'left out:', str(e)[:80]); continue
        texts = dict(zip(clean[1], clean[0])); ids = sorted(i for i, t in texts.items() if len(t) > 0); cases = []
        while len(cases) < 5:
            sequence = [r.choice(ids) for _ in range(r.randint(3, 8))]; pieces = [texts[i] if isinstance(texts[i], bytes) else texts[i].encode() for i in sequence]; wanted = []
            for _ in range(r.randint(1, 2)):
                end = r.randint(1, len(pieces)); text = b''.join(pieces[max(0, end - r.randint(1, 3)):end]); lo = r.randrange(len(text)); text = text[lo:lo + r.randint(1, 6)].decode('utf-8', 'ignore')
                if text.strip() and '\ufffd' not in text: wanted.append(text)
            if not wanted: continue
            try: criteria = StopStringCriteria(tokenizer, wanted)
            except ValueError: continue
            cases.append({'ids': sequence, 'stops': wanted, 'match': [bool(criteria(torch.tensor([sequence[:n + 1]]), None)[0]) for n in range(len(sequence))]})
        answers[folder] = cases
    return answers

def stopped():
    folder = f'{here}/../../../models/english-tts'; tokenizer = AutoTokenizer.from_pretrained(folder); model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval(); cases = []
    for s in (dict(stop_strings='AH0'), dict(stop_strings=['ER', '0 K', 'L']), dict(stop_strings=['AH0', 'IY'], num_beams=4, num_return_sequences=4), dict(stop_strings=['0', '1', '2'], num_beams=3, length_penalty=2.0), dict(stop_strings=' N', num_beams=2, early_stopping=True), dict(stop_strings='no such text, as "phonemes" go')):
        lines = []
        for word in ('wonderful', 'unaccountable', 'a', 'zoology', 'incomprehensibility'):
            ids = tokenizer(f'phonemize: {word}').input_ids
            try: out = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=40, return_dict_in_generate=True, output_scores=True, tokenizer=tokenizer, **s)
            except ValueError: out = model.generate(torch.tensor([ids]), do_sample=False, max_new_tokens=40, return_dict_in_generate=True, output_scores=True, **{k: v for k, v in s.items() if k != 'stop_strings'})
            lines.append({'ids': ids, 'outputs': outputs_of(out, 1)})
        cases.append({'parameters': {**s, 'max_new_tokens': 40}, 'lines': lines})
    return cases

fields = sorted(name for name in GenerationConfig().to_dict() if not name.startswith('_') and name != 'transformers_version')
data = {'fields': fields, 'warpers': warpers(), 'families': {name: family(name) for name in ('bart', 'marian', 't5')}, 'stops': stops(), 'stopped': stopped()}
with open(f'{here}/generation-options.json', 'w') as f: f.write(json.dumps(data, separators=(',', ':'), allow_nan=False) + '\n')
