"""Makes library-characters.txt: what the tokenizers library takes for punctuation, marks and controls, asked of it character by
character, and the characters later than the Unicode that it normalises by.

usage: make-library-characters.py > library-characters.txt     (needs tokenizers 0.23.3, and perl for the ages of characters)
"""
import subprocess, tokenizers
from tokenizers import normalizers, pre_tokenizers
CHARACTERS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
LATER = "for my $c (0..0x10FFFF) { next if $c >= 0xD800 && $c <= 0xDFFF; print \"$c\\n\" if chr($c) !~ /\\p{Present_In=9.0}/ }"
cleans = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
strips = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
accents, punctuation, decompose, compatibility = normalizers.StripAccents(), pre_tokenizers.Punctuation(), normalizers.NFD(), normalizers.NFKD()
later = {int(line) for line in subprocess.run(['perl', '-e', LATER], capture_output=True, text=True, check=True).stdout.split()}
for c in later:   # else it is another version
    assert compatibility.normalize_str(chr(c)) == chr(c) and decompose.normalize_str('a\u0345' + chr(c)) == 'a\u0345' + chr(c), hex(c)
sets = {
    'Other': [c for c in CHARACTERS if c not in (0, 0xFFFD) and cleans.normalize_str(f'a{chr(c)}b') == 'ab'],
    'Mark': [c for c in CHARACTERS if accents.normalize_str(chr(c)) == ''],
    'Nonspacing': [c for c in CHARACTERS if decompose.normalize_str(chr(c)) == chr(c) and strips.normalize_str(chr(c)) == ''],
    'Punctuation': [c for c in CHARACTERS if len(punctuation.pre_tokenize_str(f'a{chr(c)}b')) == 3],
    'Later': sorted(later),
}
print(f'# Characters as tokenizers {tokenizers.__version__} has them (make-library-characters.py): set, first, last of a range')
print('# Later: those that came after Unicode 9, which its normalisation does not know')
for name, members in sets.items():
    ranges = []
    for c in members:
        if ranges and ranges[-1][1] == c - 1: ranges[-1][1] = c
        else: ranges.append([c, c])
    for first, last in ranges: print(f'{name} {first:04X} {last:04X}')
