using System.Text.Json;
using Seq2Seq.Inference.Generation.Stopping;
using Seq2Seq.Inference.Tests.Tokenization;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Generation.Stopping;

/// <summary>Where stop strings are found, against the reference's StopStringCriteria on many kinds of tokenizers.</summary>
public sealed class StopStringMatcherTests
{
    private const int MoreThanAnyVocabulary = 100_000;

    public static TheoryData<string> Folders =>
        [.. GoldenOptions.Data.GetProperty("stops").EnumerateObject().Select(folder => folder.Name)];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_text_is_found_with_the_token_that_completes_it(string folder)
    {
        Tokenizer tokenizer = Tokenizer.Load(ReferenceFolders.PathOf(folder));
        TokenBytes bytes = new(tokenizer, MoreThanAnyVocabulary);
        foreach (JsonElement test in GoldenOptions.Data.GetProperty("stops").GetProperty(folder).EnumerateArray())
        {
            int[] ids = test.GetProperty("ids").Deserialize<int[]>()!;
            StopStringMatcher matcher = new(test.GetProperty("stops").Deserialize<StopStrings>()!, bytes);

            Enumerable
                .Range(1, ids.Length)
                .Select(length => matcher.Matches(ids.AsSpan(0, length)))
                .Should()
                .Equal(test.GetProperty("match").Deserialize<bool[]>(), test.ToString());
        }
    }

    /// <summary>The reference drops half characters, and finds none that is whole.</summary>
    [Fact]
    public void A_character_may_be_spread_over_tokens_of_bytes()
    {
        Tokenizer tokenizer = Tokenizer.Load(ReferenceFolders.PathOf("byt5"));
        IReadOnlyList<int> ids = tokenizer.Encode("so née", new EncodeOptions { AddSpecialTokens = false });
        StopStringMatcher matcher = new(["né"], new TokenBytes(tokenizer, MoreThanAnyVocabulary));

        Enumerable.Range(1, ids.Count).Where(length => matcher.Matches([.. ids.Take(length)])).Should().Equal(6);
    }
}
