using System.Text;
using System.Text.Json;

namespace Seq2Seq.Inference.Tokenization.Patterns;

/// <summary>Patterns of tokenizer.json: a plain text or an expression of the Oniguruma library.</summary>
internal static class TextPattern
{
    /// <summary><c>{"String": "…"}</c> or <c>{"Regex": "…"}</c>.</summary>
    public static ITextPattern Read(JsonElement pattern)
    {
        if (pattern.TryGetProperty("String", out var text))
            return Literal(text.GetString()!);
        return Regex(pattern.GetProperty("Regex").GetString()!);
    }

    public static ITextPattern Literal(string text) => new LiteralPattern(text);

    public static ITextPattern Regex(string expression) => new RegexPattern(expression);

    /// <summary>Every single character that passes.</summary>
    public static ITextPattern Characters(Func<Rune, bool> passes) => new CharacterPattern(passes);

    private sealed class CharacterPattern(Func<Rune, bool> passes) : ITextPattern
    {
        public void Find(ReadOnlySpan<char> text, List<PatternSpan> output)
        {
            var (done, position) = (0, 0);
            foreach (var rune in text.EnumerateRunes())
            {
                var next = position + rune.Utf16SequenceLength;
                if (passes(rune))
                {
                    if (done < position)
                        output.Add(new PatternSpan(done, position - done, false));
                    output.Add(new PatternSpan(position, next - position, true));
                    done = next;
                }
                position = next;
            }
            if (done < position)
                output.Add(new PatternSpan(done, position - done, false));
        }
    }

    private sealed class LiteralPattern(string literal) : ITextPattern
    {
        public void Find(ReadOnlySpan<char> text, List<PatternSpan> output)
        {
            var done = 0;
            while (literal.Length > 0 && text[done..].IndexOf(literal, StringComparison.Ordinal) is var found and >= 0)
            {
                if (found > 0)
                    output.Add(new PatternSpan(done, found, false));
                output.Add(new PatternSpan(done + found, literal.Length, true));
                done += found + literal.Length;
            }
            if (done < text.Length)
                output.Add(new PatternSpan(done, text.Length - done, false));
        }
    }

    private sealed class RegexPattern : ITextPattern
    {
        private readonly OnigurumaProgram _program;

        public RegexPattern(string expression) => _program = OnigurumaParser.Parse(expression);

        public void Find(ReadOnlySpan<char> text, List<PatternSpan> output)
        {
            var (done, from) = (0, 0);
            int? lastEnd = null;
            while (from <= text.Length && _program.Search(text, from, out var start, out var end))
            {
                // No empty match right behind another match.
                if (start == end && lastEnd == end)
                {
                    from = end + (end < text.Length && char.IsHighSurrogate(text[end]) ? 2 : 1);
                    continue;
                }
                if (done < start)
                    output.Add(new PatternSpan(done, start - done, false));
                output.Add(new PatternSpan(start, end - start, true));
                done = from = end;
                lastEnd = end;
            }
            if (done < text.Length)
                output.Add(new PatternSpan(done, text.Length - done, false));
        }
    }
}
