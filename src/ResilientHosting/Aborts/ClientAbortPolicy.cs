namespace ResilientHosting.Aborts;

/// <summary>What an endpoint does when its client leaves. Immutable; share it freely.</summary>
public sealed class ClientAbortPolicy
{
    internal static readonly TimeSpan LongestGrace = TimeSpan.FromDays(1);

    private ClientAbortPolicy(ClientAbortBehavior behavior, TimeSpan? within = null)
    {
        Behavior = behavior;
        Within = within;
    }

    /// <summary>Cancels the work at once.</summary>
    public static ClientAbortPolicy Cancel { get; } = new(ClientAbortBehavior.Cancel);

    /// <summary>Lets the work run until it ends, a request time-out expires or the host stops.</summary>
    public static ClientAbortPolicy RunToCompletion { get; } = new(ClientAbortBehavior.RunToCompletion);

    /// <summary>
    /// What <see cref="Cancel"/> means for a response that a cache waits for. Nobody has asked for it to be finished, so nobody is
    /// warned if it is not.
    /// </summary>
    internal static ClientAbortPolicy CacheFill { get; } = new(ClientAbortBehavior.RunToCompletion);

    /// <summary>What happens to the work.</summary>
    public ClientAbortBehavior Behavior { get; }

    /// <summary>How long the work may go on after its client has left.</summary>
    /// <value>Set for <see cref="ClientAbortBehavior.CompleteWithin"/>, otherwise <see langword="null"/>.</value>
    public TimeSpan? Within { get; }

    /// <summary>Lets the work go on for a limited time.</summary>
    /// <param name="within">The time from the client's leaving to the cancellation: above zero, at most one day.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="within"/> is outside its range.</exception>
    public static ClientAbortPolicy CompleteWithin(TimeSpan within)
    {
        if (within <= TimeSpan.Zero || within > LongestGrace)
        {
            throw new ArgumentOutOfRangeException(
                nameof(within),
                within,
                $"Work may outlive its client for more than zero and at most {LongestGrace}. "
                + "Choose Cancel to stop at once, or RunToCompletion to set no limit.");
        }

        return new ClientAbortPolicy(ClientAbortBehavior.CompleteWithin, within);
    }
}
