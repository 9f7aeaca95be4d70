using System.Text;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Generation.Stopping;

/// <summary>
/// Tells whether a sequence's last token completes one of the given texts (StopStringCriteria in transformers 5.17). The text
/// may begin in the middle of a token and end in the middle of the last one, but it does not end before that: what stood in the
/// sequence earlier ended it then. Thread-safe.
/// </summary>
// Everything is compared as bytes of UTF-8, so that a character may be spread over several tokens.
internal sealed class StopStringMatcher
{
    private readonly TokenBytes _tokens;
    private readonly byte[][] _stops;

    /// <summary>The reference looks at no more tokens than the longest text has characters.</summary>
    private readonly int _window;

    public StopStringMatcher(StopStrings texts, TokenBytes tokens)
    {
        _tokens = tokens;
        _stops = [.. texts.Select(Encoding.UTF8.GetBytes)];
        _window = _stops.Max(stop => stop.Length);
    }

    /// <summary>Whether a text can end with this token at all.</summary>
    public bool MayEndWith(int token)
    {
        ReadOnlySpan<byte> last = _tokens.Of(token);
        foreach (byte[] stop in _stops)
        {
            for (int overlap = 1; overlap <= Math.Min(last.Length, stop.Length); overlap++)
            {
                if (Ends(last, stop, overlap))
                {
                    return true;
                }
            }

            if (last.Length > stop.Length && last.IndexOf(stop) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <param name="sequence">At least one token.</param>
    public bool Matches(ReadOnlySpan<int> sequence)
    {
        foreach (byte[] stop in _stops)
        {
            if (Matches(sequence, stop))
            {
                return true;
            }
        }

        return false;
    }

    private bool Matches(ReadOnlySpan<int> sequence, byte[] stop)
    {
        ReadOnlySpan<byte> last = _tokens.Of(sequence[^1]);
        if (last.IndexOf(stop) >= 0)
        {
            return true;
        }

        for (int overlap = 1; overlap <= Math.Min(last.Length, stop.Length - 1); overlap++)
        {
            if (Ends(last, stop, overlap) && Precedes(sequence[..^1], stop.AsSpan(0, stop.Length - overlap)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a token begins with the last bytes of a text.</summary>
    private static bool Ends(ReadOnlySpan<byte> token, byte[] stop, int overlap) =>
        token.StartsWith(stop.AsSpan(stop.Length - overlap));

    /// <summary>Whether a sequence ends with these bytes.</summary>
    private bool Precedes(ReadOnlySpan<int> sequence, ReadOnlySpan<byte> bytes)
    {
        for (int back = 1; back < _window && back <= sequence.Length; back++)
        {
            ReadOnlySpan<byte> token = _tokens.Of(sequence[^back]);
            if (token.Length >= bytes.Length)
            {
                return token.EndsWith(bytes);
            }

            if (!bytes.EndsWith(token))
            {
                return false;
            }

            bytes = bytes[..^token.Length];
        }

        return false;
    }
}
