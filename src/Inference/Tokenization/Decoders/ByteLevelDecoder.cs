using System.Text;
using Seq2Seq.Inference.Tokenization.Models;

namespace Seq2Seq.Inference.Tokenization.Decoders;

/// <summary>Reads GPT-2's printable characters as bytes of UTF-8 (<c>ByteLevel</c>).</summary>
internal sealed class ByteLevelDecoder : ITokenDecoder
{
    public List<string> Decode(List<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (var token in tokens)
        {
            if (!ByteAlphabet.TryDecode(token, bytes))
                bytes.AddRange(Encoding.UTF8.GetBytes(token));
        }
        return [Encoding.UTF8.GetString([.. bytes])];
    }

    public byte[]? BytesOf(string token)
    {
        var bytes = new List<byte>(token.Length);
        return ByteAlphabet.TryDecode(token, bytes) ? [.. bytes] : null;
    }
}
