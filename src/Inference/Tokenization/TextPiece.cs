namespace Seq2Seq.Inference.Tokenization;

/// <summary>
/// A stretch of text on its way through a pipeline. <see cref="AtOrigin"/> counts its leading characters that stem from
/// the very first character of the input: a Metaspace with the scheme "first" asks for it, and nothing else of the
/// tokenizers library's alignments is needed here.
/// </summary>
internal readonly record struct TextPiece(string Source, int Start, int Length, int AtOrigin)
{
    public ReadOnlySpan<char> Span => Source.AsSpan(Start, Length);

    public static TextPiece Of(string text, int atOrigin = 0) => new(text, 0, text.Length, atOrigin);

    public TextPiece Slice(int start, int length) =>
        new(Source, Start + start, length, Math.Clamp(AtOrigin - start, 0, length));

    public override string ToString() => Length == Source.Length ? Source : Source.Substring(Start, Length);
}
