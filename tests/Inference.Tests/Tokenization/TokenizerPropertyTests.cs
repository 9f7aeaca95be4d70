using CsCheck;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Tokenization;

public sealed class TokenizerPropertyTests
{
    private const int KnownTexts = 40;

    // Some vocabularies know few of them.
    private const int MostTexts = 2000;

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

    /// <summary>tests/fuzz does it for long, as round-trip.</summary>
    [Theory]
    [MemberData(nameof(Folders))]
    public void A_text_that_the_vocabulary_knows_comes_back_as_the_parts_of_the_tokenizer_leave_it(string folder)
    {
        RoundTrip roundTrip = RoundTrip.Of(folder);
        Random random = new(1);

        int known = Enumerable
            .Range(0, MostTexts)
            .Where(_ => roundTrip.Check(roundTrip.Next(random)))
            .Take(KnownTexts)
            .Count();

        known.Should().Be(roundTrip.Fidelity == Fidelity.None ? 0 : KnownTexts);
    }

    [Theory]
    [InlineData("byt5", Fidelity.Exact)]
    [InlineData("bart-vocab-merges", Fidelity.Exact)]
    [InlineData("unigram-keep-whitespace-identity-no-prefix", Fidelity.Exact)]
    [InlineData("t5-sentencepiece", Fidelity.ButForRunsOfWhiteSpace)]
    [InlineData("t5-tokenizer-json", Fidelity.ButForRunsOfWhiteSpace)]
    [InlineData("spm-bpe-bytefallback", Fidelity.Exact)]
    [InlineData("marian", Fidelity.ButForRunsOfWhiteSpace)]
    [InlineData("t5gemma-tokenizer-json", Fidelity.ButForRunsOfWhiteSpace)]
    [InlineData("bert-vocab-txt-uncased", Fidelity.ButForWhiteSpace)]
    [InlineData("zoo/bpe-no-unk", Fidelity.Stable)]
    [InlineData("zoo/file-truncation-left", Fidelity.None)]
    [InlineData("fsmt-en-de", Fidelity.None)]
    public void What_must_come_back_follows_from_the_parts(string folder, Fidelity fidelity) =>
        RoundTrip.Of(folder).Fidelity.Should().Be(fidelity);

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
}
