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

    [Theory]
    [InlineData("byt5")]
    [InlineData("bart-tokenizer-json")]
    [InlineData("bart-vocab-merges")]
    [InlineData("blenderbot-vocab-merges")]
    public void Bytes_come_back_as_they_went(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));
        var encode = new EncodeOptions { AddSpecialTokens = false, SplitSpecialTokens = true };
        var decode = new DecodeOptions { SkipSpecialTokens = false, CleanUpTokenizationSpaces = false };

        AnyText.Sample(
            text =>
            {
                var back = tokenizer.Decode(tokenizer.Encode(text, encode), decode);
                back.TrimStart(' ').Should().Be(WellFormed(text).TrimStart(' '));
            },
            iter: 500
        );
    }

    [Theory]
    [MemberData(nameof(Folders))]
    public void One_tokenizer_serves_many_threads(string folder)
    {
        var tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));
        var texts = Enumerable
            .Range(0, 200)
            .Select(i => $"text {i}, the quick </s> brown fox's {i * 7} ends.")
            .ToArray();
        var expected = texts.Select(text => tokenizer.Encode(text, EncodeOptions.Default)).ToArray();

        Parallel.For(
            0,
            texts.Length * 4,
            i =>
            {
                var ids = tokenizer.Encode(texts[i % texts.Length], EncodeOptions.Default);
                ids.Should().Equal(expected[i % texts.Length]);
            }
        );
    }

    private static string WellFormed(string text) =>
        string.Concat(text.EnumerateRunes().Select(rune => rune.ToString()));
}
