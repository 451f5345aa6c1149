namespace ResilientHosting.Aborts;

/// <summary>Options of client-abort tolerance. They are read once, when the pipeline is built.</summary>
public sealed class ClientAbortOptions
{
    internal static readonly TimeSpan LongestSettleTimeout = TimeSpan.FromSeconds(5);

    internal const long LargestSecuredBody = 1L << 30;

    private readonly List<Func<Exception, bool>> _cancellations = [];

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

    /// <summary>The policy of endpoints that name none.</summary>
    /// <value><see cref="ClientAbortPolicy.Cancel"/> by default.</value>
    public ClientAbortPolicy DefaultPolicy { get; set; } = ClientAbortPolicy.Cancel;

    /// <summary>How endpoints with <see cref="AdoptOnResendAttribute"/> treat a request that is stopped and sent again.</summary>
    public AdoptionOptions Adoption { get; } = new();

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
