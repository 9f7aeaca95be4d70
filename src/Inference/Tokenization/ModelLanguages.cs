using Seq2Seq.Inference.Generation;

namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// The language codes that a multilingual model knows, in its tokenizer's own spelling: what <c>src_lang</c> and
/// <c>tgt_lang</c> can be. Empty for the others.
/// </summary>
public sealed record ModelLanguages
{
    // Few enough to read; NLLB has 202.
    private const int MostListed = 110;

    public static ModelLanguages None { get; } = new();

    /// <summary>Languages that a source can be said to be in; empty where the tokenizer does not ask.</summary>
    public IReadOnlyList<string> Source { get; init; } = [];

    /// <summary>Languages that an answer can be asked for in.</summary>
    public IReadOnlyList<string> Target { get; init; } = [];

    /// <summary>The same languages on both sides.</summary>
    internal static ModelLanguages Of(IReadOnlyList<string> codes) => new() { Source = codes, Target = codes };

    /// <summary>Holds <c>src_lang</c> and <c>tgt_lang</c> against the languages that are there.</summary>
    /// <exception cref="GenerationParametersException">A language that the model does not know; names it.</exception>
    public void Check(GenerationParameters parameters)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        Check("src_lang", "source", parameters.SourceLanguage, Source);
        Check("tgt_lang", "target", parameters.TargetLanguage, Target);
    }

    /// <summary>A known code in the model's spelling; as in transformers bars may be left out or put there: <c>java</c> is <c>__java__</c>.</summary>
    /// <returns>Null for a code that is none of the list.</returns>
    internal static string? Spell(string code, IReadOnlyList<string> known)
    {
        string[] spellings = [code, $"__{code}__", code.Replace("__", "", StringComparison.Ordinal)];
        return Array.Find(spellings, spelling => known.Contains(spelling, StringComparer.Ordinal));
    }

    private static void Check(string parameter, string side, string? code, IReadOnlyList<string> known)
    {
        if (code is null || Spell(code, known) is not null)
        {
            return;
        }

        string expected =
            known.Count == 0 ? $"none: the model has no {side} languages to choose from" : List(code, side, known);
        throw new GenerationParametersException(parameter, $"'{parameter}' is '{code}'; expected {expected}.")
        {
            Found = code,
            Expected = expected,
        };
    }

    private static string List(string code, string side, IReadOnlyList<string> known)
    {
        if (known.Count <= MostListed)
        {
            return $"one of the model's {side} languages: {string.Join(", ", known)}";
        }

        string start = code.Length < 2 ? code : code[..2];
        string[] alike = [.. known.Where(other => other.StartsWith(start, StringComparison.OrdinalIgnoreCase))];
        string[] shown = alike.Length > 0 ? alike : [.. known.Take(3)];
        return $"one of the model's {known.Count} {side} languages, such as {string.Join(", ", shown)}";
    }
}
