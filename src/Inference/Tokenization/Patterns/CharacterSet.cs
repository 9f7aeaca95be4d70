using System.Text;

namespace Seq2Seq.Inference.Tokenization.Patterns;

/// <summary>A set of characters, answered from a bitmap for ASCII and by a rule beyond it.</summary>
internal sealed class CharacterSet
{
    private readonly UInt128 _ascii;
    private readonly Func<Rune, bool> _contains;

    public CharacterSet(Func<Rune, bool> contains)
    {
        _contains = contains;
        for (var value = 0; value < 128; value++)
        {
            if (contains(new Rune(value)))
                _ascii |= UInt128.One << value;
        }
    }

    public bool Contains(Rune rune) => rune.IsAscii ? ((_ascii >> rune.Value) & 1) != 0 : _contains(rune);

    public CharacterSet Negate() => new(rune => !_contains(rune));

    /// <summary>With the other cases of each character, each for one character (ß is not ss).</summary>
    public CharacterSet IgnoreCase() =>
        new(rune =>
        {
            var upper = Rune.ToUpperInvariant(rune);
            // By way of the capital: the long s and the final sigma.
            return _contains(rune)
                || _contains(upper)
                || _contains(Rune.ToLowerInvariant(rune))
                || _contains(Rune.ToLowerInvariant(upper));
        });

    public static CharacterSet Of(Rune single) => new(rune => rune == single);

    public static CharacterSet Range(Rune first, Rune last) => new(rune => rune >= first && rune <= last);

    public static CharacterSet Union(IReadOnlyList<CharacterSet> sets) =>
        new(rune =>
        {
            foreach (var set in sets)
            {
                if (set.Contains(rune))
                    return true;
            }
            return false;
        });

    public static CharacterSet Intersection(CharacterSet left, CharacterSet right) =>
        new(rune => left.Contains(rune) && right.Contains(rune));
}
