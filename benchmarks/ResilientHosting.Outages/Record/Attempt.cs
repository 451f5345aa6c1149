using System.Net.Sockets;
using Npgsql;

namespace ResilientHosting.Outages;

internal enum AttemptResult
{
    Succeeded,

    /// <summary>No connection in time, and the exception does not say that the backend is to blame.</summary>
    TimedOut,

    /// <summary>No connection, and the exception says why the backend has none.</summary>
    Explained,

    /// <summary>A connection was handed out, and the work with it failed.</summary>
    FailedInUse,
}

/// <summary>One try of one worker: acquire, work, give back.</summary>
/// <param name="Start">Time stamp of the call.</param>
/// <param name="Acquired">Time stamp when a connection was handed out or refused.</param>
/// <param name="End">Time stamp of the end.</param>
/// <param name="Result">How it ended.</param>
internal readonly record struct Attempt(long Start, long Acquired, long End, AttemptResult Result)
{
    /// <summary>Whether an exception of an acquisition, or one inside it, tells what the backend did.</summary>
    public static bool IsExplained(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException or IOException or PostgresException
                || (cause is NpgsqlException && cause.Message.StartsWith("Failed to connect", StringComparison.Ordinal)))
            {
                return true;
            }
        }

        return exception is Resources.ResourceAcquireTimeoutException { Reason: not Resources.ResourceAcquireFailure.Exhausted };
    }
}
