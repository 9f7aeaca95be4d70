using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using Seq2Seq.Inference.Generation;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Tests.Families;
using Seq2Seq.Inference.Tests.Loading;
using Seq2Seq.Inference.Tests.Weights;
using Seq2Seq.Inference.Tests.Weights.Torch;
using Seq2Seq.Inference.Weights;
using Seq2Seq.Inference.Weights.Pickle;

namespace Seq2Seq.Inference.Tests.Fuzzing;

/// <summary>A configuration file of a family's good model changed: it loads and then answers, or is refused by a code.</summary>
internal sealed class ConfigurationTarget(string golden, string file) : FuzzTarget($"configuration/{golden}/{file}")
{
    private readonly Lazy<FolderOfLinks> _folder = new(() => new FolderOfLinks(GoldenFamily.Open(golden).Folder, file));

    public override byte[] Next(Random random) => Mutator.Json(_folder.Value.Original, random);

    public override async Task RunAsync(byte[] input)
    {
        _folder.Value.Write(input);
        try
        {
            GoldenFamily family = GoldenFamily.Open(golden);
            await using SequenceModel model = SequenceModel.Load(
                family.Options with
                {
                    Folder = _folder.Value.Path,
                },
                CancellationToken.None
            );
            foreach (int beams in (int[])[1, 2])
            {
                IReadOnlyList<SequenceResult> answer = await model.GenerateAsync(
                    [SequenceInput.FromTokenIds(family.InputIds[1])],
                    new GenerationParameters
                    {
                        NumBeams = beams,
                        NumReturnSequences = 1,
                        MaxNewTokens = 3,
                    },
                    CancellationToken.None
                );
                answer.Should().HaveCount(1);
            }
        }
        catch (ModelLoadException refusal)
        {
            refusal.Report.Code.Should().NotBeNullOrEmpty();
            refusal.Report.Message.Should().NotBeNullOrEmpty();
        }
        catch (GenerationParametersException exception)
        {
            exception.Parameter.Should().NotBeEmpty();
        }

        _folder.Value.ShouldBeAsItWas();
    }

    public override void Dispose()
    {
        if (_folder.IsValueCreated)
        {
            _folder.Value.Dispose();
        }

        base.Dispose();
    }
}

/// <summary>A shard index changed, over two good shards.</summary>
internal sealed class ShardIndexTarget() : FuzzTarget("weights/shard-index")
{
    private const string Index = "model.safetensors.index.json";

    private readonly ModelFolderFixture _folder = new ModelFolderFixture()
        .Write("config.json", """{"model_type": "tiny", "vocab_size": 3, "d_model": 2}""")
        .Write("a-00001.safetensors", Safetensors.Write(("shared.weight", [3, 2], [1, 2, 3, 4, 5, 6])))
        .Write("a-00002.safetensors", Safetensors.Write(("layers.0.weight", [2, 2], [7, 8, 9, 10])));

    private static byte[] Whole =>
        """
            {"metadata": {"total_size": 40},
             "weight_map": {"shared.weight": "a-00001.safetensors", "layers.0.weight": "a-00002.safetensors"}}
            """u8.ToArray();

    public override byte[] Next(Random random) => Mutator.Json(Whole, random);

    public override Task RunAsync(byte[] input)
    {
        _folder.Write(Index, input);
        try
        {
            LoadPlan
                .Load(
                    new ModelLoadOptions { Name = "tiny", Folder = _folder.Folder },
                    TinyFamily.Registry,
                    CancellationToken.None
                )
                .Dispose();
        }
        catch (ModelLoadException refusal)
        {
            refusal.Report.Code.Should().NotBeNullOrEmpty();
        }

        return Task.CompletedTask;
    }

    public override void Dispose()
    {
        _folder.Dispose();
        base.Dispose();
    }
}

/// <summary>A weights file: every tensor that it then claims to hold is read.</summary>
internal sealed class WeightsFileTarget(string name, string file, Func<Random, byte[]> next)
    : FuzzTarget($"weights/{name}")
{
    private readonly ModelFolderFixture _folder = new();

    public static IEnumerable<FuzzTarget> All()
    {
        (string, long[], float[])[] tensors =
        [
            ("matrix", [2, 3], [1, 2, 3, 4, 5, 6]),
            ("scalar", [], [7]),
            ("none", [0, 4], []),
        ];
        byte[] safetensors = Safetensors.Write(tensors);
        (string header, byte[] data) = Halves(safetensors);
        byte[] stored = TorchCheckpoint.Zip(tensors);
        byte[] deflated = TorchCheckpoint.Zip(CompressionLevel.Optimal, tensors);
        byte[] legacy = TorchCheckpoint.Legacy(tensors);
        byte[] torch = File.ReadAllBytes(Path.Join(AppContext.BaseDirectory, "Data", "torch", "torch-2.13.bin"));
        byte[] pickle = Entry(stored, "data.pkl");
        byte[][] storages = [Entry(stored, "data/0"), Entry(stored, "data/1"), Entry(stored, "data/2")];
        const string Bin = "pytorch_model.bin";
        const string St = "model.safetensors";
        return
        [
            new WeightsFileTarget("safetensors", St, random => Mutator.Bytes(safetensors, random)),
            new WeightsFileTarget(
                "safetensors-header",
                St,
                random =>
                    Safetensors.Write(
                        Encoding.UTF8.GetString(Mutator.Json(Encoding.UTF8.GetBytes(header), random)),
                        data
                    )
            ),
            new WeightsFileTarget("torch-stored", Bin, random => Mutator.Bytes(stored, random)),
            new WeightsFileTarget("torch-deflated", Bin, random => Mutator.Bytes(deflated, random)),
            new WeightsFileTarget("torch-2.13", Bin, random => Mutator.Bytes(torch, random)),
            new WeightsFileTarget("torch-legacy", Bin, random => Mutator.Bytes(legacy, random)),
            // With checksums that are right, so that the pickle is looked into.
            new WeightsFileTarget(
                "torch-pickle",
                Bin,
                random =>
                    TorchCheckpoint.Archive(CompressionLevel.NoCompression, Mutator.Bytes(pickle, random), storages)
            ),
            new UnpicklerTarget(pickle),
        ];
    }

    public override byte[] Next(Random random) => next(random);

    public override Task RunAsync(byte[] input)
    {
        _folder.Write(file, input);
        try
        {
            using WeightsFile opened = WeightsFile.Open(Path.Join(_folder.Folder, file), file);
            foreach (StoredTensor tensor in opened.Tensors.Where(tensor => tensor.Type.IsReadable))
            {
                StoredTensorReader.Read(tensor, 0, new float[tensor.ElementCount], crc: null);
            }
        }
        catch (LoadRefusedException refusal)
        {
            refusal.Code.Should().NotBeEmpty();
            refusal.Message.Should().Contain(file);
        }

        Directory.EnumerateFileSystemEntries(_folder.Folder).Should().ContainSingle();
        return Task.CompletedTask;
    }

    public override void Dispose()
    {
        _folder.Dispose();
        base.Dispose();
    }

    private static (string Header, byte[] Data) Halves(byte[] safetensors)
    {
        int length = (int)MemoryMarshal.Read<long>(safetensors);
        return (Encoding.UTF8.GetString(safetensors, 8, length), safetensors[(8 + length)..]);
    }

    private static byte[] Entry(byte[] archive, string name)
    {
        using ZipArchive zip = new(new MemoryStream(archive));
        using Stream entry = zip.GetEntry($"pytorch_model/{name}")!.Open();
        using MemoryStream bytes = new();
        entry.CopyTo(bytes);
        return bytes.ToArray();
    }
}

/// <summary>A pickle, changed or put together of opcodes.</summary>
internal sealed class UnpicklerTarget(byte[] whole) : FuzzTarget("weights/unpickler")
{
    private static readonly byte[] _opcodes = [.. Enum.GetValues<Opcode>().Select(opcode => (byte)opcode)];

    public override byte[] Next(Random random)
    {
        if (random.Next(2) == 0)
        {
            return Mutator.Bytes(whole, random);
        }

        byte[] pickle = new byte[random.Next(1, 80)];
        for (int i = 0; i < pickle.Length; i++)
        {
            pickle[i] = random.Next(4) == 0 ? (byte)random.Next(256) : _opcodes[random.Next(_opcodes.Length)];
        }

        return pickle;
    }

    public override Task RunAsync(byte[] input)
    {
        try
        {
            new Unpickler(new PickleInput(new MemoryBytes(input), 0, "file.bin")).Load();
        }
        catch (LoadRefusedException refusal)
        {
            refusal.Code.Should().BeOneOf(LoadCodes.WeightsCorrupt, LoadCodes.WeightsUnsafe);
            refusal.Message.Should().Contain("file.bin");
        }

        return Task.CompletedTask;
    }
}
