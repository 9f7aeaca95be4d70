using System.Text;

namespace Seq2Seq.Inference.Tokenization.SentencePiece;

/// <summary>
/// A double array over the UTF-8 bytes of a vocabulary's pieces: from a node, a byte leads to at most one other node, and
/// a node that ends a piece knows its id. Built once at load, in time linear in the bytes.
/// </summary>
internal sealed class PieceTrie
{
    public const int Root = 0;
    private const int None = -1;

    private readonly Node[] _nodes;

    private PieceTrie(Node[] nodes) => _nodes = nodes;

    /// <summary>Where a byte leads to, or −1.</summary>
    public int Step(int node, byte label)
    {
        var next = _nodes[node].Base + label;
        return _nodes[next].Parent == node ? next : None;
    }

    /// <summary>The id of the piece that ends at this node, or −1.</summary>
    public int Id(int node) => _nodes[node].Id;

    /// <summary>The longest piece that the text begins with; 0 when there is none.</summary>
    public int Longest(ReadOnlySpan<byte> text)
    {
        var (node, longest) = (Root, 0);
        for (var i = 0; i < text.Length && (node = Step(node, text[i])) != None; i++)
        {
            if (Id(node) >= 0)
                longest = i + 1;
        }
        return longest;
    }

    /// <summary>Of equal pieces the last one counts.</summary>
    public static PieceTrie Build(IEnumerable<(string Text, int Id)> pieces)
    {
        var keys = pieces
            .Where(piece => piece.Text.Length > 0)
            .Select(piece => (Bytes: Encoding.UTF8.GetBytes(piece.Text), piece.Id))
            .ToArray();
        Array.Sort(
            keys,
            (left, right) =>
                left.Bytes.AsSpan().SequenceCompareTo(right.Bytes) is var order and not 0
                    ? order
                    : left.Id.CompareTo(right.Id)
        );
        return new PieceTrie(new Builder(keys).Build());
    }

    private record struct Node(int Base, int Parent, int Id);

    /// <summary>
    /// Places the children of each node at the first free slots that fit. Free slots form a ring; those that stayed free
    /// while <see cref="Window"/> later ones were filled are given up, which keeps the search short.
    /// </summary>
    private sealed class Builder((byte[] Bytes, int Id)[] keys)
    {
        private const int Window = 4096;
        private const int Free = -2;

        private Node[] _nodes = [];
        private int[] _nextFree = [];
        private int[] _previousFree = [];
        private int _firstFree = None;
        private int _lastFree = None;

        public Node[] Build()
        {
            Grow(1024);
            Take(Root);
            _nodes[Root].Parent = None;
            var open = new Stack<(int Node, int First, int Last, int Depth)>();
            open.Push((Root, 0, keys.Length, 0));
            var labels = new List<(byte Label, int First, int Last)>(256);
            while (open.TryPop(out var range))
            {
                var (node, first, last, depth) = range;
                for (; first < last && keys[first].Bytes.Length == depth; first++)
                    _nodes[node].Id = keys[first].Id;
                labels.Clear();
                while (first < last)
                {
                    var label = keys[first].Bytes[depth];
                    var end = first + 1;
                    while (end < last && keys[end].Bytes[depth] == label)
                        end++;
                    labels.Add((label, first, end));
                    first = end;
                }
                if (labels.Count == 0)
                    continue;
                var at = FindBase(labels);
                _nodes[node].Base = at;
                foreach (var (label, from, to) in labels)
                {
                    Take(at + label);
                    _nodes[at + label].Parent = node;
                    open.Push((at + label, from, to, depth + 1));
                }
            }
            // A step reads at most 255 beyond a base.
            Array.Resize(ref _nodes, _nodes.Length + 256);
            _nodes.AsSpan(^256..).Fill(new Node(0, Free, None));
            return _nodes;
        }

        private int FindBase(List<(byte Label, int First, int Last)> labels)
        {
            while (true)
            {
                for (var slot = _firstFree; slot != None; slot = _nextFree[slot])
                {
                    var at = slot - labels[0].Label;
                    if (at >= 0 && Fits(at, labels))
                        return at;
                }
                Grow(_nodes.Length + Math.Max(256, _nodes.Length / 2));
            }
        }

        private bool Fits(int at, List<(byte Label, int First, int Last)> labels)
        {
            for (var i = 1; i < labels.Count; i++)
            {
                var slot = at + labels[i].Label;
                if (slot >= _nodes.Length || _nodes[slot].Parent != Free)
                    return false;
            }
            return true;
        }

        private void Take(int slot)
        {
            _nodes[slot].Parent = None;
            Unlink(slot);
            while (_firstFree != None && _firstFree < slot - Window)
                Unlink(_firstFree);
        }

        private void Unlink(int slot)
        {
            var (previous, next) = (_previousFree[slot], _nextFree[slot]);
            if (previous == slot)
                return; // Given up before.
            if (previous == None)
                _firstFree = next;
            else
                _nextFree[previous] = next;
            if (next == None)
                _lastFree = previous;
            else
                _previousFree[next] = previous;
            _previousFree[slot] = slot;
        }

        private void Grow(int size)
        {
            var from = _nodes.Length;
            Array.Resize(ref _nodes, size);
            Array.Resize(ref _nextFree, size);
            Array.Resize(ref _previousFree, size);
            for (var slot = from; slot < size; slot++)
            {
                _nodes[slot] = new Node(0, Free, None);
                (_previousFree[slot], _nextFree[slot]) = (_lastFree, None);
                if (_lastFree == None)
                    _firstFree = slot;
                else
                    _nextFree[_lastFree] = slot;
                _lastFree = slot;
            }
        }
    }
}
