using System.Globalization;
using Seq2Seq.Inference.Tokenization;
using Seq2Seq.Inference.Tokenization.SentencePiece;

namespace Seq2Seq.Bench.Workloads;

/// <summary>
/// The models and the files of lines, made when first asked for and kept: everything is drawn from fixed seeds, so that two
/// runs measure the same.
/// </summary>
internal sealed class BenchmarkFiles
{
    /// <summary>The model that the repository brings; the others lie in the models' folder.</summary>
    public const string BundledModel = "english-tts";

    /// <summary>The model that <see cref="MakeCopyingModel"/> makes.</summary>
    public const string CopyingModel = "copying";

    private const string Dictionary = "/usr/share/dict/american-english";

    private readonly string _repository;
    private readonly string _models;
    private readonly string _lines;

    /// <param name="repository">Root of the source tree.</param>
    /// <param name="models">Folder of the benchmark models.</param>
    public BenchmarkFiles(string repository, string models)
    {
        _repository = repository;
        _models = models;
        _lines = Path.Combine(models, "lines");
        Directory.CreateDirectory(_lines);
    }

    /// <summary>Where the best settings that were found are kept.</summary>
    public string Settings => Path.Combine(_models, "settings.json");

    /// <summary>A Hugging Face folder.</summary>
    public string Model(string name) => Path.Combine(_models, name);

    /// <summary>Puts the bundled model beside the others: a peer writes its conversion beside the model.</summary>
    public void CopyBundledModel()
    {
        string link = Model(BundledModel);
        if (!Directory.Exists(link))
        {
            Directory.CreateDirectory(link);
            foreach (string file in Directory.GetFiles(Path.Combine(_repository, "models", BundledModel)))
            {
                File.Copy(file, Path.Combine(link, Path.GetFileName(file)), overwrite: true);
            }
        }
    }

    /// <summary>Makes <see cref="Workloads.CopyingModel"/>, with the bundled model's tokenizer.</summary>
    public void MakeCopyingModel()
    {
        string folder = Model(CopyingModel);
        if (!File.Exists(Path.Combine(folder, "config.json")))
        {
            Directory.CreateDirectory(folder);
            foreach (string file in new[] { "spiece.model", "tokenizer_config.json" })
            {
                File.Copy(
                    Path.Combine(_repository, "models", BundledModel, file),
                    Path.Combine(folder, file),
                    overwrite: true
                );
            }

            Workloads.CopyingModel.Write(folder, OpenPieces().Pieces.Count);
        }
    }

    /// <summary>
    /// The cheapest model that there is: one layer of width 12, of the tests' reference data, with its tokenizer. Where it
    /// runs, all else is what is measured.
    /// </summary>
    /// <returns>A Hugging Face folder.</returns>
    public string TinyModel()
    {
        string folder = Model("tiny-marian");
        string data = Path.Combine(_repository, "tests", "Inference.Tests", "Data");
        if (!File.Exists(Path.Combine(folder, "model.safetensors")))
        {
            Directory.CreateDirectory(folder);
            // The model's config.json last.
            foreach (
                string file in Directory
                    .GetFiles(Path.Combine(data, "tokenizers", "marian-multilingual"))
                    .Concat(
                        Directory.GetFiles(Path.Combine(data, "translations", "marian")).Order(StringComparer.Ordinal)
                    )
            )
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
            }
        }

        return folder;
    }

    /// <summary>Words of Debian's wamerican in random order, each with the bundled model's prefix.</summary>
    /// <exception cref="InvalidOperationException">The dictionary is not there, or too small.</exception>
    public string Words(int count) =>
        Make(
            $"words-{count}.txt",
            () =>
            {
                if (!File.Exists(Dictionary))
                {
                    throw new InvalidOperationException($"{Dictionary} (Debian's package wamerican) is not there.");
                }

                string[] words = File.ReadAllLines(Dictionary);
                new Random(1).Shuffle(words);
                return words.Length >= count
                    ? [.. words.Take(count).Select(word => "phonemize: " + word)]
                    : throw new InvalidOperationException(
                        $"{Dictionary} has {words.Length} words; {count} are needed."
                    );
            }
        );

    /// <summary>
    /// Words as often as in running text, by Zipf's law: the nth of <see cref="Words"/> is drawn one nth as often as the first.
    /// </summary>
    public string RepeatedWords(int count) =>
        Make(
            $"words-repeated-{count}.txt",
            () =>
            {
                string[] words = File.ReadAllLines(Words(count));
                double[] ends = new double[words.Length];
                double end = 0;
                for (int rank = 0; rank < ends.Length; rank++)
                {
                    end += 1.0 / (rank + 1);
                    ends[rank] = end;
                }

                Random random = new(4);
                return
                [
                    .. Enumerable
                        .Range(0, count)
                        .Select(_ =>
                        {
                            int rank = Array.BinarySearch(ends, random.NextDouble() * end);
                            return words[rank < 0 ? ~rank : rank];
                        }),
                ];
            }
        );

    /// <summary>The held-out words of the bundled model with their pronunciations.</summary>
    public IReadOnlyList<(string Word, string[] Pronunciations)> HeldOutWords(int count) =>
        [
            .. File.ReadLines(Path.Combine(_repository, "models", BundledModel, "test.tsv"))
                .Take(count)
                .Select(line => line.Split('\t'))
                .Select(fields => (fields[0], fields[1..])),
        ];

    /// <summary>Lines for the held-out words.</summary>
    public string HeldOutLines(int count) =>
        Make($"held-out-{count}.txt", () => [.. HeldOutWords(count).Select(held => "phonemize: " + held.Word)]);

    /// <summary>Lines of 8 to 64 source tokens, evenly spread and in random order.</summary>
    public string LinesOfLengths(int count) => Make($"lengths-{count}.txt", () => [.. Lengths(count)]);

    /// <summary>Source tokens of <see cref="LinesOfLengths"/>.</summary>
    public int SourceTokens(int count)
    {
        Tokenizer tokenizer = OpenTokenizer();
        return File.ReadLines(LinesOfLengths(count)).Sum(line => tokenizer.Encode(line, EncodeOptions.Default).Count);
    }

    /// <summary>The pieces of a file of lines, parted by spaces, for a peer that has no tokenizer.</summary>
    public string Pieces(string lines)
    {
        Tokenizer tokenizer = OpenTokenizer();
        SentencePieceModel model = OpenPieces();
        return Make(
            Path.GetFileNameWithoutExtension(lines) + ".pieces.txt",
            () =>
                [
                    .. File.ReadLines(lines)
                        .Select(line =>
                            string.Join(
                                ' ',
                                tokenizer.Encode(line, EncodeOptions.Default).Select(token => model.Pieces[token].Text)
                            )
                        ),
                ]
        );
    }

    /// <summary>Written items for the bundled model's second task: amounts, percentages, times, ordinals.</summary>
    public string NormalisationLines(int count) =>
        Make(
            $"normalise-{count}.txt",
            () =>
            {
                Random random = new(3);
                return
                [
                    .. Enumerable
                        .Range(0, count)
                        .Select(i =>
                            "normalize: "
                            + (
                                (i % 4) switch
                                {
                                    0 => Text($"${random.Next(1, 1000)}.{random.Next(1, 100):D2}"),
                                    1 => Text($"{random.Next(1, 100)}%"),
                                    2 => Text($"{random.Next(1, 12)}:{random.Next(0, 60):D2}"),
                                    _ => Text($"{random.Next(1, 100_000)}"),
                                }
                            )
                        ),
                ];
            }
        );

    private IEnumerable<string> Lengths(int count)
    {
        const int shortest = 8;
        const int longest = 64;
        Tokenizer tokenizer = OpenTokenizer();
        Random random = new(2);
        int[] lengths = [.. Enumerable.Range(0, count).Select(i => shortest + (i * (longest - shortest + 1) / count))];
        random.Shuffle(lengths);
        foreach (int length in lengths)
        {
            // Random letters are about a piece each; one more letter is never two pieces more for long.
            string line = "";
            while (tokenizer.Encode(line, EncodeOptions.Default).Count < length)
            {
                line += line.Length % 7 == 6 ? ' ' : (char)('a' + random.Next(26));
            }

            yield return line.TrimEnd();
        }
    }

    private Tokenizer OpenTokenizer() => Tokenizer.Load(Path.Combine(_repository, "models", BundledModel));

    private SentencePieceModel OpenPieces() =>
        SentencePieceModelReader.Read(
            File.ReadAllBytes(Path.Combine(_repository, "models", BundledModel, "spiece.model"))
        );

    private string Make(string name, Func<IReadOnlyList<string>> lines)
    {
        string file = Path.Combine(_lines, name);
        if (!File.Exists(file))
        {
            File.WriteAllLines(file + ".new", lines());
            File.Move(file + ".new", file, overwrite: true);
        }

        return file;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
