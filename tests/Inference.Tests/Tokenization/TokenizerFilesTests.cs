using CsCheck;
using Seq2Seq.Inference.Tokenization;

namespace Seq2Seq.Inference.Tests.Tokenization;

public sealed class TokenizerFilesTests
{
    private static string T5 => ReferenceFolders.PathOf("t5-sentencepiece");

    [Fact]
    public void A_folder_without_tokenizer_files_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory();

        var load = () => Tokenizer.Load(folder.FullName);

        load.Should().Throw<TokenizerLoadException>().Which.Code.Should().Be("tokenizer_missing");
        folder.Delete();
    }

    [Fact]
    public void A_sentencepiece_model_with_any_bytes_changed_or_cut_loads_or_is_refused_by_name()
    {
        var model = File.ReadAllBytes(Path.Combine(T5, "spiece.model"));
        var changes = Gen.Select(Gen.Int[0, model.Length], Gen.Int[0, model.Length - 1].Array[0, 4], Gen.Byte);

        changes.Sample(
            change =>
            {
                var (length, places, value) = change;
                var bytes = model.AsSpan().ToArray();
                foreach (var place in places)
                    bytes[place] = value;
                LoadsOrRefuses(places.Length == 0 ? bytes[..length] : bytes).Should().BeTrue();
            },
            iter: 100
        );
    }

    private static bool LoadsOrRefuses(byte[] model)
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            File.WriteAllBytes(Path.Combine(folder.FullName, "spiece.model"), model);
            Tokenizer.Load(folder.FullName).Encode("The quick brown fox, Straße 今天 ﬁ.", EncodeOptions.Default);
            return true;
        }
        catch (TokenizerLoadException e)
        {
            return e.Message.Contains("spiece.model", StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
