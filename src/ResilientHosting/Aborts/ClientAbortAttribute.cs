namespace ResilientHosting.Aborts;

/// <summary>
/// Sets what an endpoint does when its client leaves. The attribute nearest to the handler wins over the one on its class, its
/// group and <see cref="ClientAbortOptions.DefaultPolicy"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class ClientAbortAttribute : Attribute
{
    /// <summary>Creates the attribute.</summary>
    /// <param name="behavior">What happens to the work.</param>
    /// <param name="withinSeconds">
    /// For <see cref="ClientAbortBehavior.CompleteWithin"/>: the seconds from the client's leaving to the cancellation, 1 to
    /// 86 400. Otherwise leave it out.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is outside its range.</exception>
    /// <exception cref="ArgumentException">Seconds are given for a behaviour that has no time limit.</exception>
    public ClientAbortAttribute(ClientAbortBehavior behavior, int withinSeconds = 0)
    {
        if (behavior != ClientAbortBehavior.CompleteWithin && withinSeconds != 0)
        {
            throw new ArgumentException(
                $"{behavior} has no time limit, but {withinSeconds} seconds were given. "
                + $"Leave the seconds out, or use {nameof(ClientAbortBehavior.CompleteWithin)}.",
                nameof(withinSeconds));
        }

        Behavior = behavior;
        WithinSeconds = withinSeconds;
        Policy = behavior switch
        {
            ClientAbortBehavior.Cancel => ClientAbortPolicy.Cancel,
            ClientAbortBehavior.CompleteWithin => ClientAbortPolicy.CompleteWithin(TimeSpan.FromSeconds(withinSeconds)),
            ClientAbortBehavior.RunToCompletion => ClientAbortPolicy.RunToCompletion,
            _ => throw new ArgumentOutOfRangeException(nameof(behavior), behavior, "This is no behaviour the library knows."),
        };
    }

    /// <summary>Creates the attribute for a policy that <see cref="ClientAbortOptions.AddPolicy"/> has named.</summary>
    /// <param name="policyName">The name, compared exactly. A request to an endpoint with an unknown name fails.</param>
    /// <exception cref="ArgumentException"><paramref name="policyName"/> is empty.</exception>
    public ClientAbortAttribute(string policyName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(policyName);
        PolicyName = policyName;
    }

    internal ClientAbortAttribute(ClientAbortPolicy policy)
    {
        Behavior = policy.Behavior;
        WithinSeconds = (int)(policy.Within?.TotalSeconds ?? 0);
        Policy = policy;
    }

    /// <summary>What happens to the work.</summary>
    /// <value>Not meaningful if <see cref="PolicyName"/> is set.</value>
    public ClientAbortBehavior Behavior { get; }

    /// <summary>The time limit in whole seconds.</summary>
    /// <value>0 if there is none.</value>
    public int WithinSeconds { get; }

    /// <summary>The name of the policy.</summary>
    /// <value><see langword="null"/> if the attribute says itself what happens.</value>
    public string? PolicyName { get; }

    private ClientAbortPolicy? Policy { get; }

    internal ClientAbortPolicy PolicyAmong(ClientAbortOptions options) => Policy ?? options.PolicyNamed(PolicyName!);
}
