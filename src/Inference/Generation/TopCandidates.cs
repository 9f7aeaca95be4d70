using System.Numerics;
using System.Runtime.InteropServices;

namespace Seq2Seq.Inference.Generation;

/// <summary>
/// The best continuations of a line's beams: a list of fixed size, best first, that rows of scores are scanned into, or drawn ones
/// are put into. Of equal ones the one seen first is kept.
/// </summary>
internal sealed class TopCandidates(int capacity)
{
    private readonly double[] _ranks = new double[capacity];
    private readonly float[] _scores = new float[capacity];
    private readonly int[] _beams = new int[capacity];
    private readonly int[] _tokens = new int[capacity];

    public int Capacity { get; } = capacity;

    public int Count { get; private set; }

    /// <summary>What a score must exceed to be taken.</summary>
    public float Threshold => Count < Capacity ? float.NegativeInfinity : _scores[^1];

    public (float Score, int Beam, int Token) this[int index] => (_scores[index], _beams[index], _tokens[index]);

    public void Clear() => Count = 0;

    /// <summary>Takes the tokens of one beam whose <c>score − max − logSum + add</c>, rounded step by step, is among the best.</summary>
    public void Scan(ReadOnlySpan<float> scores, float max, float logSum, float add, int beam)
    {
        int width = Vector<float>.Count;
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(scores);
        Vector<float> maxima = new(max);
        Vector<float> logSums = new(logSum);
        Vector<float> added = new(add);
        Vector<float> thresholds = new(Threshold);
        for (int block = 0; block < vectors.Length; block++)
        {
            Vector<float> totals = vectors[block] - maxima - logSums + added;
            if (Vector.GreaterThanAny(totals, thresholds))
            {
                for (int i = 0; i < width; i++)
                {
                    Offer(totals[i], beam, (block * width) + i);
                }

                thresholds = new Vector<float>(Threshold);
            }
        }

        for (int token = vectors.Length * width; token < scores.Length; token++)
        {
            Offer(scores[token] - max - logSum + add, beam, token);
        }
    }

    /// <summary>Takes a continuation if its rank, not its score, is among the best.</summary>
    public void Draw(double rank, float score, int beam, int token)
    {
        if (Count < Capacity || rank > _ranks[^1])
        {
            Insert(rank, score, beam, token);
        }
    }

    /// <summary>Fills up with impossible continuations, so that there are always as many as the search expects.</summary>
    public void Pad()
    {
        for (; Count < Capacity; Count++)
        {
            (_scores[Count], _beams[Count], _tokens[Count]) = (float.NegativeInfinity, 0, 0);
        }
    }

    private void Offer(float score, int beam, int token)
    {
        if (score > Threshold)
        {
            Insert(score, score, beam, token);
        }
    }

    private void Insert(double rank, float score, int beam, int token)
    {
        int place = Count < Capacity ? Count++ : Capacity - 1;
        for (; place > 0 && _ranks[place - 1] < rank; place--)
        {
            _ranks[place] = _ranks[place - 1];
            _scores[place] = _scores[place - 1];
            _beams[place] = _beams[place - 1];
            _tokens[place] = _tokens[place - 1];
        }

        (_ranks[place], _scores[place], _beams[place], _tokens[place]) = (rank, score, beam, token);
    }
}
