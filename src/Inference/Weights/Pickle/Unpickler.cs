// Pickle (https://github.com/python/cpython/blob/main/Lib/pickletools.py): a program for a machine with a stack, a memo of
// numbered values, and marks on the stack. One opcode a byte, its argument behind it:
//
//   80 02  63 "collections\nOrderedDict\n"  29  52  …   PROTO 2, GLOBAL, EMPTY_TUPLE, REDUCE: an OrderedDict
//   28 58 .. "shared.weight" … 51 … 52 … 75 2E          MARK, BINUNICODE, …, BINPERSID: a storage, REDUCE: a tensor, SETITEMS, STOP

using System.Globalization;
using Seq2Seq.Inference.Loading;

namespace Seq2Seq.Inference.Weights.Pickle;

/// <summary>
/// Reads the pickle of a PyTorch state dict, protocols 0 to 5, and can do nothing else: names outside
/// <see cref="PickleAllowList"/> are refused, and the few "calls" build plain records (<see cref="TorchObjects"/>). Time is
/// linear in the pickle's length; memory is bounded by <see cref="PickleStack"/>.
/// </summary>
internal sealed class Unpickler
{
    private const int HighestProtocol = 5;

    private readonly PickleInput _input;
    private readonly PickleStack _stack;
    private readonly TorchObjects _objects;

    public Unpickler(PickleInput input)
    {
        _input = input;
        _stack = new PickleStack(input);
        _objects = new TorchObjects(input, _stack);
    }

    /// <summary>The class of every storage that the pickle names, by key.</summary>
    public IReadOnlyDictionary<string, PickleGlobal> Storages => _objects.Storages;

    /// <summary>Reads one pickle, up to its STOP.</summary>
    /// <exception cref="LoadRefusedException">Malformed, exhausting, or reaching for something that is not allowed.</exception>
    public object? Load()
    {
        var opcode = (Opcode)_input.ReadByte();
        for (; opcode != Opcode.Stop; opcode = (Opcode)_input.ReadByte())
        {
            if (!TryPushScalar(opcode) && !TryBuildContainer(opcode) && !TryUseMemo(opcode))
            {
                MakeObject(opcode);
            }
        }

        return _stack.Pop();
    }

    private bool TryPushScalar(Opcode opcode)
    {
        object? value;
        switch (opcode)
        {
            case Opcode.None:
                value = null;
                break;
            case Opcode.NewTrue or Opcode.NewFalse:
                value = opcode == Opcode.NewTrue;
                break;
            case Opcode.BinInt:
                value = (long)_input.ReadInt32();
                break;
            case Opcode.BinInt1:
                value = (long)_input.ReadByte();
                break;
            case Opcode.BinInt2:
                value = (long)_input.ReadUInt16();
                break;
            case Opcode.Long1:
                value = PickleScalars.ReadInteger(_input, _input.ReadByte());
                break;
            case Opcode.Long4:
                value = PickleScalars.ReadInteger(_input, _input.ReadInt32());
                break;
            case Opcode.Int or Opcode.Long:
                value = PickleScalars.ReadIntegerLine(_input);
                break;
            case Opcode.Float:
                value = PickleScalars.ReadFloatLine(_input);
                break;
            case Opcode.BinFloat:
                value = _input.ReadDouble();
                break;
            case Opcode.String:
                value = PickleScalars.ReadStringLine(_input);
                break;
            case Opcode.Unicode:
                value = PickleScalars.ReadUnicodeLine(_input);
                break;
            case Opcode.ShortBinString:
                value = _input.ReadLatin1(_input.ReadByte());
                break;
            case Opcode.BinString:
                // A negative length becomes one that no file has.
                value = _input.ReadLatin1((ulong)_input.ReadInt32());
                break;
            case Opcode.ShortBinUnicode:
                value = _input.ReadUtf8(_input.ReadByte());
                break;
            case Opcode.BinUnicode:
                value = _input.ReadUtf8((uint)_input.ReadInt32());
                break;
            case Opcode.BinUnicode8:
                value = _input.ReadUtf8((ulong)_input.ReadInt64());
                break;
            case Opcode.ShortBinBytes:
                value = _input.ReadBytes(_input.ReadByte());
                break;
            case Opcode.BinBytes:
                value = _input.ReadBytes((uint)_input.ReadInt32());
                break;
            case Opcode.BinBytes8 or Opcode.ByteArray8:
                value = _input.ReadBytes((ulong)_input.ReadInt64());
                break;
            default:
                return false;
        }

        _stack.Push(value);
        return true;
    }

    private bool TryBuildContainer(Opcode opcode)
    {
        switch (opcode)
        {
            case Opcode.Mark:
                _stack.Mark();
                break;
            case Opcode.Pop:
                _stack.Pop();
                break;
            case Opcode.PopMark:
                _stack.PopToMark();
                break;
            case Opcode.Dup:
                _stack.Push(_stack.Peek());
                break;
            case Opcode.EmptyTuple:
                _stack.Push(new PickleTuple([]));
                break;
            case Opcode.Tuple:
                _stack.Push(new PickleTuple(_stack.PopToMark()));
                break;
            case Opcode.Tuple1 or Opcode.Tuple2 or Opcode.Tuple3:
                _stack.Push(new PickleTuple(_stack.Pop(opcode - Opcode.Tuple1 + 1)));
                break;
            case Opcode.EmptyList or Opcode.EmptySet:
                _stack.Push(new PickleList());
                break;
            case Opcode.List or Opcode.FrozenSet:
                object?[] items = _stack.PopToMark();
                _stack.Push(new PickleList());
                Append(items);
                break;
            case Opcode.Append:
                Append([_stack.Pop()]);
                break;
            case Opcode.Appends or Opcode.AddItems:
                Append(_stack.PopToMark());
                break;
            case Opcode.EmptyDict:
                _stack.Push(new PickleDict());
                break;
            case Opcode.Dict:
                object?[] pairs = _stack.PopToMark();
                _stack.Push(new PickleDict());
                SetItems(pairs);
                break;
            case Opcode.SetItem:
                SetItems(_stack.Pop(2));
                break;
            case Opcode.SetItems:
                SetItems(_stack.PopToMark());
                break;
            default:
                return false;
        }

        return true;
    }

    private bool TryUseMemo(Opcode opcode)
    {
        switch (opcode)
        {
            case Opcode.Put:
                _stack.Memoize(PickleScalars.ReadIndexLine(_input));
                break;
            case Opcode.BinPut:
                _stack.Memoize(_input.ReadByte());
                break;
            case Opcode.LongBinPut:
                _stack.Memoize((uint)_input.ReadInt32());
                break;
            case Opcode.Memoize:
                _stack.Memoize();
                break;
            case Opcode.Get:
                _stack.Push(_stack.Recall(PickleScalars.ReadIndexLine(_input)));
                break;
            case Opcode.BinGet:
                _stack.Push(_stack.Recall(_input.ReadByte()));
                break;
            case Opcode.LongBinGet:
                _stack.Push(_stack.Recall((uint)_input.ReadInt32()));
                break;
            default:
                return false;
        }

        return true;
    }

    private void MakeObject(Opcode opcode)
    {
        switch (opcode)
        {
            case Opcode.Proto:
                CheckProtocol(_input.ReadByte());
                break;
            case Opcode.Frame:
                // A frame's length only helps readers of streams; a false one is refused.
                _input.CheckLength((ulong)_input.ReadInt64());
                break;
            case Opcode.Global:
                string module = _input.ReadLine();
                _stack.Push(_objects.FindGlobal(module, _input.ReadLine()));
                break;
            case Opcode.StackGlobal:
                _stack.Push(
                    _stack.Pop(2) is [string moduleName, string name]
                        ? _objects.FindGlobal(moduleName, name)
                        : throw _input.Refuse("STACK_GLOBAL needs two texts")
                );
                break;
            case Opcode.BinPersId:
                _stack.Push(_objects.ReadStorage(_stack.Pop()));
                break;
            case Opcode.Reduce or Opcode.NewObj:
                object?[] call = _stack.Pop(2);
                _stack.Push(_objects.Call(call[0], call[1]));
                break;
            case Opcode.Build when _stack.Pop() is PickleDict && _stack.Peek() is PickleDict:
                // An OrderedDict's attributes (torch puts _metadata there) hold no weights.
                break;
            case Opcode.Inst:
                string instanceModule = _input.ReadLine();
                _objects.FindGlobal(instanceModule, _input.ReadLine());
                throw Forbidden(opcode);
            default:
                throw Forbidden(opcode);
        }
    }

    private void CheckProtocol(byte protocol)
    {
        if (protocol > HighestProtocol)
        {
            throw _input.Refuse($"protocol {protocol} is unknown; expected 0 to {HighestProtocol}");
        }
    }

    private void Append(object?[] items)
    {
        if (_stack.Peek() is not PickleList list)
        {
            throw _input.Refuse("items are put into something that is not a list");
        }

        list.Items.AddRange(items);
    }

    private void SetItems(object?[] pairs)
    {
        if (_stack.Peek() is not PickleDict dict || pairs.Length % 2 != 0)
        {
            throw _input.Refuse("pairs are put into something that is not a dict");
        }

        for (int i = 0; i < pairs.Length; i += 2)
        {
            dict.Items.Add((pairs[i], pairs[i + 1]));
        }
    }

    private LoadRefusedException Forbidden(Opcode opcode)
    {
        string name = Enum.IsDefined(opcode)
            ? $"the opcode {opcode.ToString().ToUpperInvariant()}"
            : string.Create(CultureInfo.InvariantCulture, $"the unknown opcode 0x{(byte)opcode:x2}");
        return _input.Forbid($"it uses {name} in a way that no state dict needs");
    }
}
