namespace ResilientHosting.Aborts;

/// <summary>Options of client-abort tolerance. They are read once, when the pipeline is built.</summary>
public sealed class ClientAbortOptions
{
    internal static readonly TimeSpan LongestSettleTimeout = TimeSpan.FromSeconds(5);

    internal const long LargestSecuredBody = 1L << 30;

    internal const int MostOrphans = 100_000;

    internal const int RarestDetail = 1_000_000;

    private readonly List<Func<Exception, bool>> _cancellations = [];
    private readonly Dictionary<string, ClientAbortPolicy> _policies = new(StringComparer.Ordinal);

    /// <summary>
    /// How long a failed read of the request body waits for the server to confirm that the client has left. The confirmation
    /// comes some microseconds to milliseconds after the failure; only a malformed body from a client that stays uses it up.
    /// </summary>
    /// <value>250 milliseconds by default; from zero (never wait) to 5 seconds.</value>
    public TimeSpan SettleTimeout { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// The largest request body that an endpoint with a completing policy accepts. Such an endpoint reads the whole body before
    /// its handler runs, small bodies into memory, larger ones into a temporary file; above this limit it answers 413.
    /// </summary>
    /// <value>In bytes; 30,000,000 by default, which is Kestrel's own limit; from 1 to 1 GiB.</value>
    public long MaxSecuredBodySize { get; set; } = 30_000_000;

    /// <summary>
    /// How much work may go on without its client under completing policies. What exceeds it is cancelled when its client leaves, as
    /// under <see cref="ClientAbortPolicy.Cancel"/>, and a Warning says so.
    /// </summary>
    /// <value>1,000 requests by default; from 0 (none may go on) to 100,000.</value>
    public int MaxOrphans { get; set; } = 1000;

    /// <summary>The same for one client: see <see cref="ClientKey"/>.</summary>
    /// <value>250 requests by default, since behind a proxy many clients look like one; from 0 to 100,000.</value>
    public int MaxOrphansPerClient { get; set; } = 250;

    /// <summary>
    /// The longest time that any work may go on without its client. A shorter time of its policy counts, a longer one does not.
    /// Work that still runs two seconds later, whatever its policy, is named in a Warning.
    /// </summary>
    /// <value>2 minutes by default; above zero, at most 1 day.</value>
    public TimeSpan OrphanHardCap { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Whether a new request is answered with 503 while its client, or all clients together, have left as many requests running as
    /// <see cref="MaxOrphansPerClient"/> and <see cref="MaxOrphans"/> allow, whatever their policy. It keeps clients that stop and
    /// repeat slow requests from piling up work whose handlers do not look at their token.
    /// </summary>
    /// <value><see langword="false"/> by default: behind a proxy all clients look like one until forwarded headers are in use.</value>
    public bool RefuseAtOrphanLimit { get; set; }

    /// <summary>
    /// Tells clients apart for the limits. It is asked when a request arrives, before authentication unless
    /// <c>UseClientAbortTolerance</c> is placed after it.
    /// </summary>
    /// <value>
    /// <see langword="null"/> by default: the remote address tells. Behind a proxy use forwarded headers. A function that returns
    /// <see langword="null"/> exempts the request from the limits for each client.
    /// </value>
    public Func<HttpContext, string?>? ClientKey { get; set; }

    /// <summary>
    /// How often an abort is written down in full, at Information: of each route the first one and then every n-th. The line says
    /// how many there have been, so it is a statement about the route. It holds no query string, no header and no address, but the
    /// type of the exception the work ended with; its stack too if Debug is enabled.
    /// </summary>
    /// <value>100 by default; from 0 (never) and 1 (every one) to 1,000,000.</value>
    public int DetailSampling { get; set; } = 100;

    /// <summary>The policy of endpoints that name none.</summary>
    /// <value><see cref="ClientAbortPolicy.Cancel"/> by default.</value>
    public ClientAbortPolicy DefaultPolicy { get; set; } = ClientAbortPolicy.Cancel;

    /// <summary>How endpoints with <see cref="AdoptOnResendAttribute"/> treat a request that is stopped and sent again.</summary>
    public AdoptionOptions Adoption { get; } = new();

    /// <summary>Names a policy, so that endpoints can refer to it.</summary>
    /// <param name="name">The name, compared exactly. Given again, the later policy counts.</param>
    /// <param name="policy">The policy.</param>
    /// <returns>These options.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty.</exception>
    /// <seealso cref="ClientAbortEndpointConventionBuilderExtensions.WithClientAbortPolicy"/>
    public ClientAbortOptions AddPolicy(string name, ClientAbortPolicy policy)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(policy);
        _policies[name] = policy;
        return this;
    }

    /// <summary>
    /// Teaches the library that a provider reports a cancelled operation with an exception type of its own. It is asked only
    /// about exceptions that were thrown after the request had been aborted, and never about a time-out.
    /// </summary>
    /// <typeparam name="TException">The provider's exception type, or a type derived from it.</typeparam>
    /// <param name="when">Tells which of these exceptions mean "cancelled"; all of them if left out.</param>
    /// <returns>These options.</returns>
    /// <example><code>options.RecognizeCancellation&lt;RpcException&gt;(e => e.StatusCode == StatusCode.Cancelled);</code></example>
    public ClientAbortOptions RecognizeCancellation<TException>(Func<TException, bool>? when = null)
        where TException : Exception
    {
        _cancellations.Add(exception => exception is TException typed && (when is null || when(typed)));
        return this;
    }

    internal ClientAbortPolicy PolicyNamed(string name) =>
        _policies.TryGetValue(name, out var policy)
            ? policy
            : throw new InvalidOperationException(
                $"An endpoint names the client-abort policy \"{name}\", which does not exist. "
                + (_policies.Count == 0 ? "No policy has been added; add it" : $"There are: {string.Join(", ", _policies.Keys)}. Add it")
                + $" with {nameof(ClientAbortOptions)}.{nameof(AddPolicy)}.");

    internal bool IsRecognizedCancellation(Exception exception)
    {
        foreach (var isCancellation in _cancellations)
        {
            if (isCancellation(exception))
            {
                return true;
            }
        }

        return false;
    }
}
