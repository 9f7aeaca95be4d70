using CsCheck;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Tokenization;

public sealed class TokenizerPropertyTests
{
    private const string Awkward = " \t\n\u2581<>/s\0\uD83D\uDE00\u0301\u200D";

    public static TheoryData<string> Folders => ReferenceFolders.All;

    /// <summary>Any UTF-16, half surrogates and controls included.</summary>
    private static Gen<string> AnyText { get; } =
        Gen.OneOf(Gen.Char, Gen.Char[' ', '~'], Gen.Int[0, Awkward.Length - 1].Select(index => Awkward[index]))
            .Array[0, 60]
            .Select(characters => new string(characters));

    [Theory]
    [MemberData(nameof(Folders))]
    public void Any_text_is_encoded_and_its_ids_decoded(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));

        AnyText.Sample(
            text =>
            {
                var ids = tokenizer.Encode(text, EncodeOptions.Default);
                tokenizer.Decode(ids, DecodeOptions.Default).Should().NotBeNull();
                tokenizer.Decode(ids, new DecodeOptions { SkipSpecialTokens = false }).Should().NotBeNull();
            },
            iter: 200
        );
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void Any_ids_are_decoded(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));
        var ids = Gen.OneOf(Gen.Int[0, 2000], Gen.Int).Array[0, 30];

        ids.Sample(list => tokenizer.Decode(list, DecodeOptions.Default).Should().NotBeNull(), iter: 200);
    }
}
