using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

// Layout of a precompiled charsmap, all numbers little endian:
//   uint32         n, the size of the trie in bytes
//   n / 4 × uint32 a Darts-clone double array, keys are UTF-8 sequences, values offsets into the texts
//   the rest       the texts that replace the keys, UTF-8, each ended by a zero byte
//
// A unit of the double array: bits 0-7 label (bit 31 set: a leaf, bits 0-30 its value), bit 8 has a leaf,
// bits 10-30 offset, bit 9 means that the offset is to be shifted by 8.

/// <summary>
/// The character rules that a sentencepiece model carries (NMT_NFKC and others): the longest key at a place in the text
/// is replaced by its value. The format is Darts-clone's (github.com/s-yata/darts-clone) as sentencepiece stores it.
/// </summary>
internal sealed class CharsMap
{
    private readonly uint[] _units;
    private readonly byte[] _texts;

    /// <summary>Bit for each ASCII character: it stays as it is whenever the next one is ASCII too.</summary>
    private readonly bool[] _plainAscii;

    private CharsMap(uint[] units, byte[] texts)
    {
        (_units, _texts) = (units, texts);
        _plainAscii = FindPlainAscii();
    }

    /// <exception cref="InvalidDataException">Sizes that don't fit.</exception>
    public static CharsMap Read(ReadOnlySpan<byte> blob)
    {
        if (blob.Length < 8)
            throw new InvalidDataException($"A charsmap of {blob.Length} bytes is too short.");
        var trieSize = BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (trieSize >= blob.Length - 4 || trieSize % 4 != 0 || trieSize == 0)
            throw new InvalidDataException($"A charsmap of {blob.Length} bytes says that its trie has {trieSize}.");
        var units = MemoryMarshal.Cast<byte, uint>(blob.Slice(4, (int)trieSize)).ToArray();
        if (!BitConverter.IsLittleEndian)
            BinaryPrimitives.ReverseEndianness(units, units);
        return new CharsMap(units, blob[(4 + (int)trieSize)..].ToArray());
    }

    /// <summary>Whether this ASCII character, with another one behind it, is changed by no rule.</summary>
    public bool IsPlain(byte ascii) => _plainAscii[ascii];

    /// <summary>The longest key that the text begins with: its length (0: none) and what replaces it.</summary>
    public int Longest(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        var units = _units;
        var (length, value) = (0, 0);
        uint position = 0;
        var unit = units[0];
        position ^= Offset(unit);
        for (var i = 0; i < text.Length; i++)
        {
            position ^= text[i];
            if (position >= (uint)units.Length)
                break;
            unit = units[position];
            if ((unit & 0x800000FF) != text[i])
                break;
            position ^= Offset(unit);
            if ((unit & 0x100) != 0 && position < (uint)units.Length)
                (length, value) = (i + 1, (int)(units[position] & 0x7FFFFFFF));
        }
        replacement = length == 0 ? default : Text(value);
        return length;
    }

    /// <summary>The shortest key that the text begins with, which is what Hugging Face's port of this map takes.</summary>
    public int Shortest(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> replacement)
    {
        var units = _units;
        var position = Offset(units[0]);
        for (var i = 0; i < text.Length; i++)
        {
            position ^= text[i];
            if (position >= (uint)units.Length || (units[position] & 0x800000FF) != text[i])
                break;
            var hasLeaf = (units[position] & 0x100) != 0;
            position ^= Offset(units[position]);
            if (!hasLeaf || position >= (uint)units.Length)
                continue;
            replacement = Text((int)(units[position] & 0x7FFFFFFF));
            return i + 1;
        }
        replacement = default;
        return 0;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);

    private ReadOnlySpan<byte> Text(int offset)
    {
        if (offset >= _texts.Length)
            return default;
        var rest = _texts.AsSpan(offset);
        var end = rest.IndexOf((byte)0);
        return end < 0 ? rest : rest[..end];
    }

    private bool[] FindPlainAscii()
    {
        var plain = new bool[128];
        Span<byte> pair = stackalloc byte[2];
        for (byte first = 0; first < 128; first++)
        {
            var untouched = true;
            for (byte second = 0; second < 128 && untouched; second++)
            {
                (pair[0], pair[1]) = (first, second);
                untouched = Longest(pair, out _) == 0 && !Reaches(pair);
            }
            plain[first] = untouched;
        }
        return plain;
    }

    private bool Reaches(ReadOnlySpan<byte> text)
    {
        var position = Offset(_units[0]);
        foreach (var label in text)
        {
            position ^= label;
            if (position >= (uint)_units.Length || (_units[position] & 0x800000FF) != label)
                return false;
            position ^= Offset(_units[position]);
        }
        return true;
    }
}
