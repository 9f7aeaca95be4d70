// What torch.save wrote before 1.6 (torch/serialization.py, _legacy_save), one behind the other:
//
//   pickle   the magic number 0x1950a86a20f9469cfc6c
//   pickle   1001, the protocol
//   pickle   a dict: is it little-endian, sizes of C types
//   pickle   the object; storages are persistent ids ('storage', torch.FloatStorage, key, 'cpu', count, view)
//   pickle   the list of storage keys
//   for each key: the count of elements (8 bytes), the elements

using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Microsoft.Win32.SafeHandles;
using Seq2Seq.Inference.Loading;
using Seq2Seq.Inference.Weights.Pickle;

namespace Seq2Seq.Inference.Weights.Torch;

/// <summary>Reads the directory of tensors of a stream that torch.save wrote before version 1.6.</summary>
internal sealed class TorchLegacyReader
{
    private const long Protocol = 1001;
    private static readonly BigInteger _magic = BigInteger.Parse(
        "1950a86a20f9469cfc6c",
        NumberStyles.AllowHexSpecifier,
        CultureInfo.InvariantCulture
    );

    private readonly FileBytes _file;
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _offsets = new(StringComparer.Ordinal);
    private long _position;

    private TorchLegacyReader(FileBytes file) => _file = file;

    /// <exception cref="LoadRefusedException">The stream or one of its pickles breaks a rule.</exception>
    public static IReadOnlyList<StoredTensor> Read(SafeFileHandle handle, string name) =>
        new TorchLegacyReader(new FileBytes(handle, name, 0, RandomAccess.GetLength(handle))).Read();

    private IReadOnlyList<StoredTensor> Read()
    {
        if (ReadPickle() is not BigInteger magic || magic != _magic)
        {
            throw Corrupt("it is a pickle, but not one that torch.save wrote (the magic number is missing)");
        }

        if (ReadPickle() is not Protocol)
        {
            throw Corrupt($"its protocol is not {Protocol}");
        }

        if (
            ReadPickle() is not PickleDict system
            || system.Items.Find(item => item.Key is "little_endian").Value is not true
        )
        {
            throw Corrupt("it was written on a big-endian machine, or does not say; expected little-endian");
        }

        IReadOnlyList<(string Name, PickleTensor Tensor)> tensors = StateDict.Find(
            ReadPickle(out IReadOnlyDictionary<string, PickleGlobal> storages),
            _file.Description
        );
        ReadStorages(storages);
        return new TorchTensors(_file.Description, OpenStorage).Resolve(tensors);
    }

    private object? ReadPickle() => ReadPickle(out _);

    private object? ReadPickle(out IReadOnlyDictionary<string, PickleGlobal> storages)
    {
        var input = new PickleInput(_file, _position, _file.Description);
        var unpickler = new Unpickler(input);
        object? value = unpickler.Load();
        _position = input.Offset;
        storages = unpickler.Storages;
        return value;
    }

    // The stream does not say how long an element is: the pickle does, by the storage's class.
    private void ReadStorages(IReadOnlyDictionary<string, PickleGlobal> storages)
    {
        if (ReadPickle() is not PickleList keys)
        {
            throw Corrupt("the list of its storages is missing");
        }

        Span<byte> length = stackalloc byte[8];
        foreach (object? item in keys.Items)
        {
            if (
                item is not string key
                || storages.GetValueOrDefault(key) is not { } storage
                || PickleAllowList.ElementTypeOf(storage) is not { } type
                || _offsets.ContainsKey(key)
            )
            {
                throw Corrupt(
                    $"the list of its storages names {(item is string text ? $"'{UntrustedText.Printable(text)}'" : "something other than a text")}, which the pickle does not know, or which stands there twice"
                );
            }

            if (_file.Length - _position < length.Length)
            {
                throw Corrupt($"it ends before storage '{UntrustedText.Printable(key)}'. Was it cut short?");
            }

            _file.Read(_position, length);
            long count = BinaryPrimitives.ReadInt64LittleEndian(length);
            _position += length.Length;
            if (count < 0 || count > (_file.Length - _position) / type.Bytes)
            {
                throw Corrupt(
                    $"storage '{UntrustedText.Printable(key)}' claims {count} elements of {type.Name}; {_file.Length - _position} bytes are left"
                );
            }

            _offsets.Add(key, _position);
            _counts.Add(key, count);
            _position += count * type.Bytes;
        }

        if (_position != _file.Length)
        {
            throw Corrupt($"{_file.Length - _position} bytes stand behind the last storage");
        }
    }

    private FileBytes OpenStorage(PickleStorage storage, ElementType type) =>
        _offsets.TryGetValue(storage.Key, out long offset)
            ? _file.Slice(_file.Description, offset, _counts[storage.Key] * type.Bytes)
            : throw Corrupt($"storage '{UntrustedText.Printable(storage.Key)}' is missing");

    private LoadRefusedException Corrupt(string message) =>
        new(LoadCodes.WeightsCorrupt, $"{_file.Description}: {message}.");
}
