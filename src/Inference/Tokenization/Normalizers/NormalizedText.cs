using System.Text;

namespace Seq2Seq.Inference.Tokenization.Normalizers;

/// <summary>A text under normalisation, with what <see cref="TextPiece.AtOrigin"/> says of it.</summary>
internal sealed class NormalizedText(string text, int atOrigin)
{
    public string Text { get; private set; } = text;

    public int AtOrigin { get; private set; } = Math.Min(atOrigin, text.Length);

    public bool IsEmpty => Text.Length == 0;

    public TextPiece Piece => TextPiece.Of(Text, AtOrigin);

    public void Replace(string text, int atOrigin)
    {
        Text = text;
        AtOrigin = Math.Min(atOrigin, text.Length);
    }

    /// <summary>A change that treats each part of the text by itself, so that the beginning can be followed through it.</summary>
    public void Map(Func<string, string> change)
    {
        var changed = change(Text);
        if (!ReferenceEquals(changed, Text))
            Replace(changed, AtOrigin == 0 ? 0 : change(Text[..AtOrigin]).Length);
    }

    /// <summary>Keeps the characters that pass. What is left of a text whose beginning fell away is not at the origin.</summary>
    public void Filter(Func<Rune, bool> keep)
    {
        if (Text.EnumerateRunes().All(keep))
            return;
        var kept = new StringBuilder(Text.Length);
        var (position, atOrigin) = (0, 0);
        foreach (var rune in Text.EnumerateRunes())
        {
            if (keep(rune))
            {
                kept.Append(rune.ToString());
                if (position < AtOrigin)
                    atOrigin = kept.Length;
            }
            position += rune.Utf16SequenceLength;
        }
        Replace(kept.ToString(), atOrigin);
    }
}
