// Pickle (https://github.com/python/cpython/blob/main/Lib/pickletools.py): a program for a machine with a stack, a memo of
// numbered values, and marks on the stack. Protocols 0 to 5. One opcode a byte, its argument behind it:
//
//   80 02  63 "collections\nOrderedDict\n"  29  52  …   PROTO 2, GLOBAL, EMPTY_TUPLE, REDUCE: an OrderedDict
//   28 58 .. "shared.weight" … 51 … 52 … 75 2E          MARK, BINUNICODE, …, BINPERSID: a storage, REDUCE: a tensor, SETITEMS, STOP

using System.Globalization;
using System.Numerics;
using System.Text;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights.Pickle;

/// <summary>
/// Reads the pickle of a PyTorch state dict and can do nothing else: names outside <see cref="PickleAllowList"/> are
/// refused, and the few "calls" build plain records. Nothing is ever executed, imported or looked up. Time is linear in
/// the pickle's length; memory is bounded by <see cref="MaxObjects"/>.
/// </summary>
internal sealed class Unpickler(PickleInput input)
{
    // A checkpoint with 50,000 tensors has about a million.
    private const int MaxObjects = 2_000_000;
    private const int MaxIntegerBytes = 64;
    private const int HighestProtocol = 5;

    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = [];
    private readonly Dictionary<long, object?> _memo = [];
    private readonly Dictionary<string, PickleGlobal> _storages = new(StringComparer.Ordinal);
    private int _objects;

    /// <summary>The class of every storage that the pickle names, by key.</summary>
    public IReadOnlyDictionary<string, PickleGlobal> Storages => _storages;

    /// <summary>Reads one pickle, up to its STOP.</summary>
    /// <exception cref="LoadRefusedException">Malformed, exhausting, or reaching for something that is not allowed.</exception>
    public object? Load()
    {
        while (true)
        {
            byte opcode = input.ReadByte();
            if (opcode == '.')
            {
                return Pop();
            }

            Execute(opcode);
        }
    }

    private void Execute(byte opcode)
    {
        switch (opcode)
        {
            case 0x80:
                CheckProtocol(input.ReadByte());
                break;
            case 0x95:
                // A frame's length only helps readers of streams; a false one is refused.
                input.CheckLength((ulong)input.ReadInt64());
                break;
            case (byte)'(':
                CountObject();
                _marks.Push(_stack.Count);
                break;
            case (byte)'0':
                Pop();
                break;
            case (byte)'1':
                PopToMark();
                break;
            case (byte)'2':
                Push(Peek());
                break;
            case (byte)'N':
                Push(value: null);
                break;
            case 0x88:
                Push(true);
                break;
            case 0x89:
                Push(false);
                break;
            case (byte)'J':
                Push((long)input.ReadInt32());
                break;
            case (byte)'K':
                Push((long)input.ReadByte());
                break;
            case (byte)'M':
                Push((long)input.ReadUInt16());
                break;
            case 0x8A:
                Push(ReadInteger(input.ReadByte()));
                break;
            case 0x8B:
                Push(ReadInteger(input.ReadInt32()));
                break;
            case (byte)'I':
                Push(ParseInteger(input.ReadLine()));
                break;
            case (byte)'L':
                Push(ParseInteger(input.ReadLine().TrimEnd('L')));
                break;
            case (byte)'F':
                Push(ParseDouble(input.ReadLine()));
                break;
            case (byte)'G':
                Push(input.ReadDouble());
                break;
            default:
                ExecuteTextOrContainer(opcode);
                break;
        }
    }

    private void ExecuteTextOrContainer(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'S':
                Push(Unquote(input.ReadLine()));
                break;
            case (byte)'V':
                Push(UnescapeUnicode(input.ReadLine()));
                break;
            case (byte)'U':
                Push(input.ReadLatin1(input.ReadByte()));
                break;
            case (byte)'T':
                Push(input.ReadLatin1(unchecked((ulong)input.ReadInt32())));
                break;
            case 0x8C:
                Push(input.ReadUtf8(input.ReadByte()));
                break;
            case (byte)'X':
                Push(input.ReadUtf8((uint)input.ReadInt32()));
                break;
            case 0x8D:
                Push(input.ReadUtf8((ulong)input.ReadInt64()));
                break;
            case (byte)'C':
                Push(input.ReadBytes(input.ReadByte()));
                break;
            case (byte)'B':
                Push(input.ReadBytes((uint)input.ReadInt32()));
                break;
            case 0x8E or 0x96:
                Push(input.ReadBytes((ulong)input.ReadInt64()));
                break;
            case (byte)')':
                Push(new PickleTuple([]));
                break;
            case (byte)'t':
                Push(new PickleTuple(PopToMark()));
                break;
            case 0x85 or 0x86 or 0x87:
                Push(new PickleTuple(Pop(opcode - 0x84)));
                break;
            case (byte)']' or 0x8F:
                Push(new PickleList());
                break;
            case (byte)'l' or 0x91:
                object?[] items = PopToMark();
                Push(new PickleList());
                Append(items);
                break;
            case (byte)'a':
                Append([Pop()]);
                break;
            case (byte)'e' or 0x90:
                Append(PopToMark());
                break;
            case (byte)'}':
                Push(new PickleDict());
                break;
            case (byte)'d':
                object?[] pairs = PopToMark();
                Push(new PickleDict());
                SetItems(pairs);
                break;
            case (byte)'s':
                SetItems(Pop(2));
                break;
            case (byte)'u':
                SetItems(PopToMark());
                break;
            default:
                ExecuteMemoOrObject(opcode);
                break;
        }
    }

    private void ExecuteMemoOrObject(byte opcode)
    {
        switch (opcode)
        {
            case (byte)'p':
                Memoize(ParseIndex(input.ReadLine()));
                break;
            case (byte)'q':
                Memoize(input.ReadByte());
                break;
            case (byte)'r':
                Memoize((uint)input.ReadInt32());
                break;
            case 0x94:
                Memoize(_memo.Count);
                break;
            case (byte)'g':
                Push(Recall(ParseIndex(input.ReadLine())));
                break;
            case (byte)'h':
                Push(Recall(input.ReadByte()));
                break;
            case (byte)'j':
                Push(Recall((uint)input.ReadInt32()));
                break;
            case (byte)'c':
                string module = input.ReadLine();
                Push(FindGlobal(module, input.ReadLine()));
                break;
            case 0x93:
                object?[] names = Pop(2);
                Push(
                    names is [string moduleName, string name]
                        ? FindGlobal(moduleName, name)
                        : throw input.Refuse("STACK_GLOBAL needs two texts")
                );
                break;
            case (byte)'i':
                string instanceModule = input.ReadLine();
                FindGlobal(instanceModule, input.ReadLine());
                throw Forbidden("INST");
            case (byte)'Q':
                Push(ReadStorage(Pop()));
                break;
            case (byte)'R':
                object?[] call = Pop(2);
                Push(Call(call[0], call[1]));
                break;
            case 0x81:
                object?[] creation = Pop(2);
                Push(Call(creation[0], creation[1]));
                break;
            case (byte)'b':
                // An OrderedDict's attributes (torch puts _metadata there) hold no weights.
                if (Pop() is not PickleDict || Peek() is not PickleDict)
                {
                    throw Forbidden("BUILD on something other than a dict");
                }

                break;
            default:
                throw Forbidden(
                    opcode switch
                    {
                        (byte)'P' => "PERSID",
                        (byte)'o' => "OBJ",
                        0x82 or 0x83 or 0x84 => "EXT",
                        0x92 => "NEWOBJ_EX",
                        0x97 or 0x98 => "an out-of-band buffer",
                        _ => string.Create(CultureInfo.InvariantCulture, $"the unknown opcode 0x{opcode:x2}"),
                    }
                );
        }
    }

    private PickleGlobal FindGlobal(string module, string name) =>
        PickleAllowList.Find(module, name)
        ?? throw input.Forbid(
            $"it reaches for {UntrustedText.Printable($"{module}.{name}")}, which is not on the list of what a state dict may hold; nothing of it was executed"
        );

    private object Call(object? callee, object? arguments)
    {
        if (callee is not PickleGlobal global || arguments is not PickleTuple { Items: var items })
        {
            throw Forbidden("a call of something that is not a known function");
        }

        return (global.Name, items) switch
        {
            ("OrderedDict", []) => new PickleDict(),
            ("OrderedDict", [PickleList pairs]) => DictOf(pairs),
            ("Size", [PickleTuple size]) => size,
            ("Size", [PickleList size]) => new PickleTuple([.. size.Items]),
            ("_rebuild_parameter", [PickleTensor tensor, ..]) => tensor,
            (
                "_rebuild_tensor"
                    or "_rebuild_tensor_v2",
                [PickleStorage storage, long offset, { } shape, { } strides, ..]
            ) => new PickleTensor(storage, offset, Integers(shape), Integers(strides)),
            (
                "_rebuild_tensor_v3",
                [PickleStorage storage, long offset, { } shape, { } strides, _, _, PickleGlobal type, ..]
            ) => new PickleTensor(storage, offset, Integers(shape), Integers(strides), type),
            _ => throw input.Refuse($"{global} is called with arguments that it does not take"),
        };
    }

    private PickleDict DictOf(PickleList pairs)
    {
        var dict = new PickleDict();
        foreach (object? pair in pairs.Items)
        {
            object?[]? items = (pair as PickleTuple)?.Items ?? (pair as PickleList)?.Items.ToArray();
            dict.Items.Add(
                items is [var key, var value]
                    ? (key, value)
                    : throw input.Refuse("an OrderedDict is made of something other than pairs")
            );
            CountObject();
        }

        return dict;
    }

    // ('storage', torch.FloatStorage, '0', 'cpu', 960), in old files with None or (view key, offset, size) behind.
    private PickleStorage ReadStorage(object? persistentId)
    {
        PickleStorage storage = persistentId switch
        {
            PickleTuple { Items: ["storage", PickleGlobal type, string key, _, long count] } => new PickleStorage(
                type,
                key,
                count,
                0
            ),
            PickleTuple { Items: ["storage", PickleGlobal type, string key, _, long count, null] } => new PickleStorage(
                type,
                key,
                count,
                0
            ),
            PickleTuple
            {
                Items: [
                    "storage",
                    PickleGlobal type,
                    string key,
                    _,
                    long count,
                    PickleTuple { Items: [_, long offset, long] },
                ]
            } => new PickleStorage(type, key, count, offset),
            _ => throw input.Refuse("a persistent id is not that of a storage"),
        };
        _storages[storage.Key] = storage.Type;
        return storage;
    }

    private long[] Integers(object value) =>
        value is PickleTuple tuple && tuple.Items.All(item => item is long)
            ? [.. tuple.Items.Cast<long>()]
            : throw input.Refuse("a tensor's size or strides are not whole numbers");

    private void CheckProtocol(byte protocol)
    {
        if (protocol > HighestProtocol)
        {
            throw input.Refuse($"protocol {protocol} is unknown; expected 0 to {HighestProtocol}");
        }
    }

    private void Append(object?[] items)
    {
        if (Peek() is not PickleList list)
        {
            throw input.Refuse("items are put into something that is not a list");
        }

        list.Items.AddRange(items);
    }

    private void SetItems(object?[] pairs)
    {
        if (Peek() is not PickleDict dict || pairs.Length % 2 != 0)
        {
            throw input.Refuse("pairs are put into something that is not a dict");
        }

        for (int i = 0; i < pairs.Length; i += 2)
        {
            dict.Items.Add((pairs[i], pairs[i + 1]));
        }
    }

    private void Push(object? value)
    {
        CountObject();
        _stack.Add(value);
    }

    private object? Peek() => _stack.Count > Floor ? _stack[^1] : throw Underflow();

    private object? Pop()
    {
        object? top = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private object?[] Pop(int count)
    {
        if (_stack.Count - count < Floor)
        {
            throw Underflow();
        }

        object?[] items = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private object?[] PopToMark()
    {
        if (!_marks.TryPop(out int mark))
        {
            throw input.Refuse("there is no MARK to go back to");
        }

        object?[] items = [.. _stack[mark..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return items;
    }

    // What lies below the last mark is out of reach.
    private int Floor => _marks.TryPeek(out int mark) ? mark : 0;

    private void Memoize(long index)
    {
        CountObject();
        _memo[index] = Peek();
    }

    private object? Recall(long index) =>
        _memo.TryGetValue(index, out object? value) ? value : throw input.Refuse($"the memo has no entry {index}");

    private void CountObject()
    {
        if (++_objects > MaxObjects)
        {
            throw input.Refuse($"it holds more than {MaxObjects} objects");
        }
    }

    private object ReadInteger(int length)
    {
        if (length is < 0 or > MaxIntegerBytes)
        {
            throw input.Refuse($"a whole number of {length} bytes is claimed; expected at most {MaxIntegerBytes}");
        }

        return Narrow(new BigInteger(input.ReadBytes((ulong)length)));
    }

    private object ParseInteger(string text) =>
        text switch
        {
            "00" => false,
            "01" => true,
            _ when text.Length <= 2 * MaxIntegerBytes
                    && BigInteger.TryParse(
                        text,
                        NumberStyles.AllowLeadingSign,
                        CultureInfo.InvariantCulture,
                        out BigInteger value
                    ) => Narrow(value),
            _ => throw input.Refuse($"'{UntrustedText.Printable(text)}' is not a whole number"),
        };

    private static object Narrow(BigInteger value)
    {
        if (value >= long.MinValue && value <= long.MaxValue)
        {
            long narrow = (long)value;
            return narrow;
        }

        return value;
    }

    private double ParseDouble(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? value
            : throw input.Refuse($"'{UntrustedText.Printable(text)}' is not a number");

    private long ParseIndex(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long index)
            ? index
            : throw input.Refuse($"'{UntrustedText.Printable(text)}' is not an index of the memo");

    private string Unquote(string text) =>
        text.Length >= 2
        && text[0] is '\'' or '"'
        && text[^1] == text[0]
        && !text.Contains('\\', StringComparison.Ordinal)
            ? text[1..^1]
            : throw input.Refuse("a text is not in quotes, or has escapes");

    // Python's raw-unicode-escape: Latin-1, and \uXXXX for the rest.
    private static string UnescapeUnicode(string text)
    {
        var result = new StringBuilder();
        for (int i = 0; i < text.Length; i++)
        {
            bool isEscape = text[i] == '\\' && i + 5 < text.Length && text[i + 1] == 'u';
            if (
                isEscape
                && ushort.TryParse(
                    text.AsSpan(i + 2, 4),
                    NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture,
                    out ushort unit
                )
            )
            {
                result.Append((char)unit);
                i += 5;
            }
            else
            {
                result.Append(text[i]);
            }
        }

        return result.ToString();
    }

    private LoadRefusedException Underflow() => input.Refuse("the stack is empty");

    private LoadRefusedException Forbidden(string what) =>
        input.Forbid($"it uses {what}, which no state dict needs; nothing of it was executed");
}
