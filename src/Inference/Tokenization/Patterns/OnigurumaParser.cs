using System.Buffers;
using System.Globalization;
using System.Text;

namespace Seq2Seq.Inference.Tokenization.Patterns;

/// <summary>
/// Reads expressions in Oniguruma's syntax (github.com/kkos/oniguruma, doc/RE). Left out, and refused by name, is what
/// needs captured text: back references, calls, conditions; tokenizers have no use for them.
/// </summary>
internal sealed class OnigurumaParser
{
    private const int MaxDepth = 200;
    private const int MaxRepeat = 1000;

    private readonly string _expression;
    private int _position;
    private int _depth;
    private bool _ignoreCase;
    private bool _extended;
    private bool _dotMatchesNewline;

    private OnigurumaParser(string expression) => _expression = expression;

    /// <exception cref="FormatException">No expression, or one that this reader does not know.</exception>
    public static OnigurumaProgram Parse(string expression)
    {
        var parser = new OnigurumaParser(expression);
        var node = parser.ReadAlternation();
        if (!parser.AtEnd)
            throw parser.Broken("an unmatched )");
        return OnigurumaProgram.Of(node);
    }

    private bool AtEnd => _position >= _expression.Length;

    private char Peek => _expression[_position];

    private OnigurumaNode ReadAlternation()
    {
        if (++_depth > MaxDepth)
            throw Broken("too many nested groups");
        var (ignoreCase, extended, dot) = (_ignoreCase, _extended, _dotMatchesNewline);
        var choices = new List<OnigurumaNode> { ReadSequence() };
        while (Take('|'))
            choices.Add(ReadSequence());
        (_ignoreCase, _extended, _dotMatchesNewline) = (ignoreCase, extended, dot);
        _depth--;
        return choices.Count == 1 ? choices[0] : new AlternationNode(choices);
    }

    private SequenceNode ReadSequence()
    {
        var nodes = new List<OnigurumaNode>();
        while (!AtEnd && Peek is not ('|' or ')'))
        {
            if (_extended && SkipExtended())
                continue;
            nodes.Add(ReadRepeats(ReadAtom()));
        }
        return new SequenceNode(nodes);
    }

    private bool SkipExtended()
    {
        if (Peek == '#')
        {
            while (!AtEnd && Peek != '\n')
                _position++;
            return true;
        }
        if (!char.IsWhiteSpace(Peek))
            return false;
        _position++;
        return true;
    }

    private OnigurumaNode ReadRepeats(OnigurumaNode node)
    {
        while (!AtEnd)
        {
            int min;
            int? max;
            var interval = false;
            if (Take('*'))
                (min, max) = (0, null);
            else if (Take('+'))
                (min, max) = (1, null);
            else if (Take('?'))
                (min, max) = (0, 1);
            else if (Peek == '{' && TryReadInterval(out min, out max))
                interval = true;
            else
                break;
            var lazy = Take('?');
            // x{2,3}+ repeats the interval; only the other three have a possessive form.
            var possessive = !lazy && !interval && Take('+');
            node = new RepeatNode(node, min, max, lazy);
            if (possessive)
                node = new GroupNode(OnigurumaOperation.Atomic, node);
        }
        return node;
    }

    private bool TryReadInterval(out int min, out int? max)
    {
        (min, max) = (0, null);
        var close = _expression.IndexOf('}', _position);
        if (close < 0)
            return false;
        var parts = _expression[(_position + 1)..close].Split(',');
        var exact = parts.Length == 1;
        if (parts.Length > 2 || (exact && parts[0].Length == 0) || parts.All(part => part.Length == 0))
            return false;
        if (parts.Any(part => part.Length > 6 || part.Any(character => !char.IsAsciiDigit(character))))
            return false;
        min = parts[0].Length == 0 ? 0 : int.Parse(parts[0], CultureInfo.InvariantCulture);
        if (exact)
            max = min;
        else if (parts[1].Length > 0)
            max = int.Parse(parts[1], CultureInfo.InvariantCulture);
        if (Math.Max(min, max ?? 0) > MaxRepeat || max < min)
            throw Broken($"the interval {{{string.Join(',', parts)}}}");
        _position = close + 1;
        return true;
    }

    private OnigurumaNode ReadAtom()
    {
        switch (Peek)
        {
            case '(':
                return ReadGroup();
            case '[':
                return new SetNode(WithCase(ReadClass()));
            case '\\':
                return ReadEscape();
            case '.':
                _position++;
                var newline = _dotMatchesNewline;
                return new SetNode(new CharacterSet(rune => newline || rune.Value != '\n'));
            case '^':
                _position++;
                return new AssertionNode(OnigurumaOperation.LineStart);
            case '$':
                _position++;
                return new AssertionNode(OnigurumaOperation.LineEnd);
            case '*' or '+' or '?':
                throw Broken($"nothing that {Peek} could repeat");
            default:
                return Literal(ReadRune());
        }
    }

    private SetNode Literal(Rune rune) => new(WithCase(CharacterSet.Of(rune)));

    private CharacterSet WithCase(CharacterSet set) => _ignoreCase ? set.IgnoreCase() : set;

    private OnigurumaNode ReadGroup()
    {
        _position++;
        if (!Take('?'))
            return Close(ReadAlternation());
        if (Take(':'))
            return Close(ReadAlternation());
        if (Take('='))
            return new GroupNode(OnigurumaOperation.LookAhead, Close(ReadAlternation()));
        if (Take('!'))
            return new GroupNode(OnigurumaOperation.NotLookAhead, Close(ReadAlternation()));
        if (Take('>'))
            return new GroupNode(OnigurumaOperation.Atomic, Close(ReadAlternation()));
        if (Take('#'))
        {
            while (!AtEnd && Peek != ')')
                _position++;
            return Close(new EmptyNode());
        }
        if (Take('<'))
        {
            if (Take('='))
                return LookBehind(OnigurumaOperation.LookBehind);
            if (Take('!'))
                return LookBehind(OnigurumaOperation.NotLookBehind);
            ReadUntil('>');
            return Close(ReadAlternation());
        }
        return ReadOptions();
    }

    private GroupNode LookBehind(OnigurumaOperation operation)
    {
        var body = Close(ReadAlternation());
        if (body.MaxLength is null)
            throw Broken("a look-behind without a bound");
        return new GroupNode(operation, body);
    }

    private OnigurumaNode ReadOptions()
    {
        var (ignoreCase, extended, dot) = (_ignoreCase, _extended, _dotMatchesNewline);
        var on = true;
        while (true)
        {
            if (AtEnd)
                throw Broken("the end inside a group");
            var option = _expression[_position++];
            switch (option)
            {
                case '-':
                    on = false;
                    break;
                case 'i':
                    _ignoreCase = on;
                    break;
                case 'x':
                    _extended = on;
                    break;
                case 'm':
                    _dotMatchesNewline = on;
                    break;
                case ':':
                    var body = Close(ReadAlternation());
                    (_ignoreCase, _extended, _dotMatchesNewline) = (ignoreCase, extended, dot);
                    return body;
                case ')':
                    // Holds to the end of the group that encloses it, which restores the options.
                    return ReadAlternation();
                default:
                    throw Broken($"the group (?{option}");
            }
        }
    }

    private OnigurumaNode Close(OnigurumaNode body) => Take(')') ? body : throw Broken("a group without its )");

    private OnigurumaNode ReadEscape()
    {
        _position++;
        if (AtEnd)
            throw Broken("a \\ at the end");
        switch (Peek)
        {
            case 'b':
                _position++;
                return new AssertionNode(OnigurumaOperation.WordBoundary);
            case 'B':
                _position++;
                return new AssertionNode(OnigurumaOperation.NotWordBoundary);
            case 'A':
                _position++;
                return new AssertionNode(OnigurumaOperation.TextStart);
            case 'z':
                _position++;
                return new AssertionNode(OnigurumaOperation.TextEnd);
            case 'Z':
                _position++;
                return new AssertionNode(OnigurumaOperation.TextEndOrNewline);
            case 'R':
                _position++;
                return GeneralNewline();
            case 'G' or 'K' or 'X' or 'k' or 'g' or 'y' or 'Y' or (>= '1' and <= '9'):
                throw Broken($"\\{Peek}");
            default:
                return new SetNode(WithCase(ReadEscapedSet(out _)));
        }
    }

    private static AlternationNode GeneralNewline()
    {
        OnigurumaNode Single(Func<Rune, bool> contains) => new SetNode(new CharacterSet(contains));
        return new AlternationNode([
            new SequenceNode([Single(rune => rune.Value == '\r'), Single(rune => rune.Value == '\n')]),
            Single(rune => rune.Value is (>= '\n' and <= '\r') or 0x85 or 0x2028 or 0x2029),
        ]);
    }

    /// <summary>Behind the backslash: a class (\d, \p{L}), or one character (<paramref name="single"/>).</summary>
    private CharacterSet ReadEscapedSet(out Rune? single)
    {
        single = null;
        var letter = _expression[_position];
        switch (letter)
        {
            case 'd' or 'D':
                return Class(CharacterProperty.Digit, letter == 'D');
            case 'w' or 'W':
                return Class(CharacterProperty.Word, letter == 'W');
            case 's' or 'S':
                return Class(CharacterProperty.Space, letter == 'S');
            case 'h' or 'H':
                return Class(CharacterProperty.HexDigit, letter == 'H');
            case 'N':
                return Class(new CharacterSet(rune => rune.Value != '\n'), negated: false);
            case 'O':
                return Class(new CharacterSet(_ => true), negated: false);
            case 'p' or 'P' when _position + 1 < _expression.Length && _expression[_position + 1] == '{':
                return ReadProperty(letter == 'P');
        }
        single = ReadEscapedRune();
        return CharacterSet.Of(single.Value);
    }

    private CharacterSet Class(CharacterSet set, bool negated)
    {
        _position++;
        return negated ? set.Negate() : set;
    }

    private CharacterSet ReadProperty(bool negated)
    {
        _position += 2;
        var name = ReadUntil('}');
        if (name.StartsWith('^'))
            (name, negated) = (name[1..], !negated);
        var set = CharacterProperty.Find(name) ?? throw Broken($"the property {name}");
        return negated ? set.Negate() : set;
    }

    private Rune ReadEscapedRune()
    {
        var letter = ReadRune();
        switch (letter.Value)
        {
            case 't':
                return new Rune('\t');
            case 'n':
                return new Rune('\n');
            case 'r':
                return new Rune('\r');
            case 'f':
                return new Rune('\f');
            case 'v':
                return new Rune('\v');
            case 'a':
                return new Rune('\a');
            case 'e':
                return new Rune('\u001B');
            case '0':
                return ReadNumber(0, 2, 8);
            case 'c':
                return ReadControl();
            case 'C' when Take('-'):
                return ReadControl();
            case 'C' or 'M':
                throw Broken($"\\{letter}");
            case 'u':
                return ReadNumber(4, 4, 16);
            case 'x' when Take('{'):
                var rune = ReadNumber(1, 8, 16);
                return Take('}') ? rune : throw Broken("\\x{ without }");
            case 'x':
                return ReadByte();
            default:
                return letter;
        }
    }

    private Rune ReadControl()
    {
        if (AtEnd)
            throw Broken("a control without its letter");
        return ReadRune().Value is '?' ? new Rune('\u007F') : new Rune(_expression[_position - 1] & 0x1F);
    }

    /// <summary>A byte of UTF-8: ASCII, or the first of those that write out a character.</summary>
    private Rune ReadByte()
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes[0] = (byte)ReadNumber(1, 2, 16).Value;
        var count = 1;
        while (
            count < bytes.Length && Rune.DecodeFromUtf8(bytes[..count], out _, out _) == OperationStatus.NeedMoreData
        )
        {
            if (!_expression.AsSpan(_position).StartsWith("\\x"))
                break;
            _position += 2;
            bytes[count++] = (byte)ReadNumber(1, 2, 16).Value;
        }
        return Rune.DecodeFromUtf8(bytes[..count], out var rune, out _) == OperationStatus.Done
            ? rune
            : throw Broken("a byte that is no character");
    }

    private Rune ReadNumber(int min, int max, int radix)
    {
        var (value, digits) = (0L, 0);
        for (; !AtEnd && digits < max && IsDigit(Peek, radix); digits++)
            value = value * radix + Convert.ToInt32(_expression[_position++].ToString(), 16);
        return digits >= min && value <= 0x10FFFF && Rune.TryCreate((int)value, out var rune)
            ? rune
            : throw Broken("a character number");
    }

    private static bool IsDigit(char character, int radix) =>
        radix == 8 ? character is >= '0' and <= '7' : char.IsAsciiHexDigit(character);

    private CharacterSet ReadClass()
    {
        if (++_depth > MaxDepth)
            throw Broken("too many nested classes");
        _position++;
        var negated = Take('^');
        var members = new List<CharacterSet>();
        CharacterSet? intersection = null;
        for (var first = true; ; first = false)
        {
            if (AtEnd)
                throw Broken("a class without its ]");
            if (Peek == ']' && !first)
                break;
            if (_expression.AsSpan(_position).StartsWith("&&"))
            {
                _position += 2;
                intersection = Intersect(intersection, members);
                members = [];
                continue;
            }
            members.Add(ReadMember());
        }
        _position++;
        _depth--;
        var set = Intersect(intersection, members);
        return negated ? set.Negate() : set;
    }

    private static CharacterSet Intersect(CharacterSet? left, List<CharacterSet> right) =>
        left is null ? CharacterSet.Union(right) : CharacterSet.Intersection(left, CharacterSet.Union(right));

    private CharacterSet ReadMember()
    {
        if (Peek == '[')
            return _expression.AsSpan(_position).StartsWith("[:") && TryReadPosix(out var posix) ? posix : ReadClass();
        var set = ReadSingle(out var start);
        var isRange =
            start is not null
            && _position + 1 < _expression.Length
            && Peek == '-'
            && _expression[_position + 1] is not (']' or '[');
        if (!isRange)
            return set;
        _position++;
        ReadSingle(out var end);
        if (end is null || end < start)
            throw Broken("a range of characters");
        return CharacterSet.Range(start!.Value, end.Value);
    }

    private CharacterSet ReadSingle(out Rune? single)
    {
        if (!Take('\\'))
        {
            single = ReadRune();
            return CharacterSet.Of(single.Value);
        }
        if (AtEnd)
            throw Broken("a \\ at the end");
        if (!Take('b'))
            return ReadEscapedSet(out single);
        single = new Rune('\b');
        return CharacterSet.Of(single.Value);
    }

    private bool TryReadPosix(out CharacterSet set)
    {
        set = CharacterProperty.Space;
        var close = _expression.IndexOf(":]", _position, StringComparison.Ordinal);
        if (close < 0)
            return false;
        var name = _expression[(_position + 2)..close];
        var negated = name.StartsWith('^');
        if (CharacterProperty.Find(negated ? name[1..] : name) is not { } found)
            return false;
        _position = close + 2;
        set = negated ? found.Negate() : found;
        return true;
    }

    private string ReadUntil(char end)
    {
        var close = _expression.IndexOf(end, _position);
        if (close < 0)
            throw Broken($"no {end}");
        var text = _expression[_position..close];
        _position = close + 1;
        return text;
    }

    private Rune ReadRune()
    {
        Rune.DecodeFromUtf16(_expression.AsSpan(_position), out var rune, out var length);
        _position += length;
        return rune;
    }

    private bool Take(char expected)
    {
        if (AtEnd || Peek != expected)
            return false;
        _position++;
        return true;
    }

    private FormatException Broken(string found) => new($"The expression '{Beginning}' has {found} (at {_position}).");

    private string Beginning => _expression.Length <= 200 ? _expression : _expression[..200] + "…";
}
