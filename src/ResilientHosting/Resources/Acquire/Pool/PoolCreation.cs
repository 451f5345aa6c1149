namespace ResilientHosting.Resources;

/// <summary>One creation a pool has under way. Guarded by the pool's gate.</summary>
internal sealed class PoolCreation(Lineage lineage, int generation, long startedAt, TimeSpan patience) : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();

    public Lineage Lineage { get; } = lineage;

    public int Generation { get; } = generation;

    public long StartedAt { get; } = startedAt;

    /// <summary>After what time without an answer it no longer keeps another creation from being started.</summary>
    public TimeSpan Patience { get; } = patience;

    public CancellationToken Token => _cancellation.Token;

    /// <summary>Whether nothing was heard of it for so long that it no longer keeps another one from being started.</summary>
    public bool IsHanging { get; set; }

    /// <summary>Whether it has been given up: its failure is on record, and only its slot remains to be freed.</summary>
    public bool IsGivenUp { get; private set; }

    public ITimer? HangTimer { get; set; }

    /// <summary>Its callbacks run elsewhere: not under the gate.</summary>
    public void GiveUp()
    {
        IsGivenUp = true;
        _ = _cancellation.CancelAsync();
    }

    public void Dispose()
    {
        HangTimer?.Dispose();
        _cancellation.Dispose();
    }
}
