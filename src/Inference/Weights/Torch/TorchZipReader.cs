// What torch.save writes since 1.6 (torch/serialization.py, caffe2/serialize/inline_container.cc): a zip of stored entries,
//
//   <root>/data.pkl        pickle of the object; storages are persistent ids ('storage', torch.FloatStorage, '0', 'cpu', 960)
//   <root>/data/0 …        the storages' bytes
//   <root>/byteorder       "little" or "big"; absent in older files, which are little
//   <root>/version         format version, 3 today

using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights.Pickle;
using Seq2Seq.Inference.Weights.Zip;

namespace Seq2Seq.Inference.Weights.Torch;

/// <summary>Reads the directory of tensors of a zip that torch.save wrote.</summary>
internal sealed class TorchZipReader
{
    private const string PickleName = "data.pkl";
    private const int MaxPickleBytes = 32 << 20;
    private const int HighestVersion = 10;

    private readonly FileBytes _file;
    private readonly IReadOnlyDictionary<string, ZipEntry> _entries;
    private readonly string _root;

    private TorchZipReader(FileBytes file, IReadOnlyDictionary<string, ZipEntry> entries)
    {
        _file = file;
        _entries = entries;
        _root = FindRoot();
    }

    /// <exception cref="LoadRefusedException">The archive or its pickle breaks a rule.</exception>
    public static IReadOnlyList<StoredTensor> Read(SafeFileHandle handle, string name)
    {
        var file = new FileBytes(handle, name, 0, RandomAccess.GetLength(handle));
        return new TorchZipReader(file, ZipArchiveReader.Read(file)).Read();
    }

    private IReadOnlyList<StoredTensor> Read()
    {
        CheckVersion();
        bool isBigEndian = ReadIsBigEndian();
        ZipEntry pickle = _entries[_root + PickleName];
        if (pickle.Size > MaxPickleBytes)
        {
            throw Corrupt($"entry '{pickle.Name}' has {pickle.Size} bytes; expected at most {MaxPickleBytes}");
        }

        ByteSource source = Open(pickle, isBigEndian: false);
        CheckWhole(source);
        var input = new PickleInput(source, 0, _file.Description);
        object? root = new Unpickler(input).Load();
        return new TorchTensors(_file.Description, (storage, _) => OpenStorage(storage, isBigEndian)).Resolve(
            StateDict.Find(root, _file.Description)
        );
    }

    private string FindRoot()
    {
        string[] pickles =
        [
            .. _entries.Keys.Where(entry =>
                entry.EndsWith($"/{PickleName}", StringComparison.Ordinal)
                && entry.IndexOf('/', StringComparison.Ordinal) == entry.Length - PickleName.Length - 1
            ),
        ];
        if (pickles.Length != 1)
        {
            throw Corrupt(
                $"the zip archive holds {pickles.Length} entries named <folder>/{PickleName}; expected one, as torch.save writes"
            );
        }

        string root = pickles[0][..^PickleName.Length];
        return _entries.ContainsKey($"{root}constants.pkl")
            ? throw new LoadRefusedException(
                LoadCodes.WeightsForeign,
                $"{_file.Description} is a TorchScript archive: a program, not weights. Expected a state dict."
            )
            : root;
    }

    private void CheckVersion()
    {
        if (ReadText("version") is not { } text)
        {
            return;
        }

        if (
            !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int version)
            || version > HighestVersion
        )
        {
            throw Corrupt(
                $"its format version is '{UntrustedText.Printable(text)}'; expected at most {HighestVersion}"
            );
        }
    }

    private bool ReadIsBigEndian() =>
        ReadText("byteorder") switch
        {
            null or "little" => false,
            "big" => true,
            { } other => throw Corrupt($"its byteorder is '{UntrustedText.Printable(other)}'; expected little or big"),
        };

    private string? ReadText(string name)
    {
        const int MaxLength = 64;
        if (!_entries.TryGetValue(_root + name, out ZipEntry? entry))
        {
            return null;
        }

        if (entry.Size > MaxLength)
        {
            throw Corrupt($"entry '{entry.Name}' has {entry.Size} bytes; expected at most {MaxLength}");
        }

        byte[] bytes = new byte[entry.Size];
        ByteSource source = Open(entry, isBigEndian: false);
        source.Read(0, bytes);
        source.CheckCrc(Crc32.HashToUInt32(bytes));
        return Encoding.UTF8.GetString(bytes).Trim();
    }

    private ByteSource OpenStorage(PickleStorage storage, bool isBigEndian)
    {
        string name = $"data/{storage.Key}";
        return _entries.TryGetValue(_root + name, out ZipEntry? entry)
            ? Open(entry, isBigEndian)
            : throw Corrupt($"the storage '{UntrustedText.Printable(name)}' is missing");
    }

    private ByteSource Open(ZipEntry entry, bool isBigEndian)
    {
        string description = $"{_file.Description}: entry '{UntrustedText.Printable(entry.Name)}'";
        return entry.IsDeflated
            ? new InflatedBytes(
                _file.Slice(description, entry.DataOffset, entry.CompressedSize),
                description,
                entry.Size,
                entry.Crc
            )
            {
                IsBigEndian = isBigEndian,
            }
            : _file.Slice(description, entry.DataOffset, entry.Size, entry.Crc, isBigEndian);
    }

    private static void CheckWhole(ByteSource source)
    {
        byte[] bytes = new byte[source.Length];
        source.Read(0, bytes);
        source.CheckCrc(Crc32.HashToUInt32(bytes));
    }

    private LoadRefusedException Corrupt(string message) =>
        new(LoadCodes.WeightsCorrupt, $"{_file.Description}: {message}.");
}
