"""Makes english-tts/greedy.txt.gz and beam4.txt.gz anew: what transformers 5.17.0 answers on the bundled model's test words.

usage: make-english-tts.py            (needs torch and transformers; about three minutes on one core)
A line for each word of models/english-tts/test.tsv, in its order: the answer to "phonemize: " + word.
"""
import gzip, os, torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer
here = os.path.dirname(os.path.abspath(__file__)); model = os.path.join(here, '../../../models/english-tts')
torch.set_num_threads(1); torch.set_grad_enabled(False)
tokenizer = AutoTokenizer.from_pretrained(model); network = AutoModelForSeq2SeqLM.from_pretrained(model, dtype=torch.float32).eval()
words = [line.split('\t')[0] for line in open(f'{model}/test.tsv', encoding='utf-8')]
order = sorted(range(len(words)), key=lambda i: -len(words[i])); os.makedirs(f'{here}/english-tts', exist_ok=True)
for name, beams in (('greedy', 1), ('beam4', 4)):
    answers = [''] * len(words)
    for start in range(0, len(order), 64):
        batch = order[start:start + 64]; x = tokenizer([f'phonemize: {words[i]}' for i in batch], return_tensors='pt', padding=True)
        for i, text in zip(batch, tokenizer.batch_decode(network.generate(**x, num_beams=beams, do_sample=False, max_new_tokens=96), skip_special_tokens=True)): answers[i] = text
    with open(f'{here}/english-tts/{name}.txt.gz', 'wb') as f, gzip.GzipFile('', 'wb', mtime=0, fileobj=f) as z: z.write('\n'.join(answers + ['']).encode())
