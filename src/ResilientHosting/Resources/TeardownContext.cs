namespace ResilientHosting.Resources;

/// <summary>What a resource's teardown knows: how the scope ended, and how long it may take.</summary>
/// <param name="outcome">How the scope ended.</param>
/// <param name="services">The services of the scope.</param>
/// <param name="deadline">Cancelled when the teardown's time is up.</param>
public sealed class TeardownContext(ScopeOutcome outcome, IServiceProvider services, CancellationToken deadline)
{
    /// <summary>How the scope ended. The same for every resource of the scope, also after a teardown has failed.</summary>
    public ScopeOutcome Outcome { get; } = outcome ?? throw new ArgumentNullException(nameof(outcome));

    /// <summary>
    /// The services of the scope, still usable; of a scope opened for the purpose if the teardown was detached from its request with
    /// <see cref="IRequestResourceBuilder{T}.DetachTeardown"/>. Resources that exist can be had from both, new ones from neither.
    /// </summary>
    public IServiceProvider Services { get; } = services ?? throw new ArgumentNullException(nameof(services));

    /// <summary>
    /// Cancelled after <see cref="RequestResourceOptions.TeardownTimeout"/> or the resource's own limit, or earlier when the scope's budget is used up. A client that
    /// leaves does not cancel it. A teardown still running one second later is given up and reported.
    /// </summary>
    public CancellationToken Deadline { get; } = deadline;
}
