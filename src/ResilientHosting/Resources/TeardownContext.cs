namespace ResilientHosting.Resources;

/// <summary>What a resource's teardown knows: how the scope ended, and how long it may take.</summary>
public sealed class TeardownContext
{
    private readonly CancellationToken? _given;
    private CancellationTokenSource? _deadline;

    /// <summary>For tests of teardowns.</summary>
    /// <param name="outcome">How the scope ended.</param>
    /// <param name="services">The services of the scope.</param>
    /// <param name="deadline">Cancelled when the teardown's time is up.</param>
    public TeardownContext(ScopeOutcome outcome, IServiceProvider services, CancellationToken deadline)
        : this(outcome, services)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        ArgumentNullException.ThrowIfNull(services);
        _given = deadline;
    }

    internal TeardownContext(ScopeOutcome outcome, IServiceProvider services)
    {
        Outcome = outcome;
        Services = services;
    }

    /// <summary>How the scope ended. The same for every resource of the scope, also after a teardown has failed.</summary>
    public ScopeOutcome Outcome { get; }

    /// <summary>
    /// The services of the scope, still usable; of a scope opened for the purpose if the teardown was detached from its request with
    /// <see cref="IRequestResourceBuilder{T}.DetachTeardown"/>. Resources that exist can be had from both, new ones from neither.
    /// </summary>
    public IServiceProvider Services { get; }

    /// <summary>
    /// Cancelled after <see cref="RequestResourceOptions.TeardownTimeout"/> or the resource's own limit, or earlier when the scope's budget
    /// is used up. A client that leaves does not cancel it. A teardown still running one second later is given up and reported.
    /// </summary>
    public CancellationToken Deadline => _given ?? Source.Token;

    /// <summary>
    /// Made for those who ask. Not disposed of: a teardown that was given up still holds the token, and without a timer of its own there
    /// is nothing to free.
    /// </summary>
    private CancellationTokenSource Source
    {
        get
        {
            if (Volatile.Read(ref _deadline) is { } deadline)
            {
                return deadline;
            }

            var created = new CancellationTokenSource();
            return Interlocked.CompareExchange(ref _deadline, created, null) ?? created;
        }
    }

    internal Task CancelAsync() => Source.CancelAsync();
}
