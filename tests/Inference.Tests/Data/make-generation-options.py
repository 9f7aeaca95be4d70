"""Makes generation-options.json anew: what transformers 5.17 answers under options that the families' cases.json leave out.

usage: make-generation-options.py            (needs torch and transformers; a minute on one core)
warpers    rows of scores, and for each setting of sampling the scores that its processors leave (null: minus infinity)
families   for models of generation/: token log-probabilities (compute_transition_scores, normalised) under the cases of
           cases.json, and of given targets (log_softmax of the logits under teacher forcing)
"""
import json, math, os, torch
from transformers import AutoModelForSeq2SeqLM, GenerationConfig
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
    return {'token_logprobs': logprobs, 'targets': targets}

data = {'warpers': warpers(), 'families': {name: family(name) for name in ('bart', 'marian', 't5')}}
with open(f'{here}/generation-options.json', 'w') as f: f.write(json.dumps(data, separators=(',', ':')) + '\n')
