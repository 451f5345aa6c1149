using System.Data.Common;
using System.Net.Sockets;
using System.Net.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using ResilientHosting.Aborts;

namespace ResilientHosting.Tests.Aborts.Classify;

public sealed class AbortClassifierTests
{
    private const int DiskFull = unchecked((int)0x80070070);
    private static readonly DateTimeOffset Abort = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly CancellationToken Cancelled = new(canceled: true);

    private static readonly Exception BodyFailure = new ConnectionResetException("reset");

    public static TheoryData<string, Exception, bool> AfterTheAbort() => new()
    {
        { "the observed failure", BodyFailure, true },
        { "the observed failure, wrapped", new InvalidDataException("bad upload", BodyFailure), true },
        { "the observed failure, wrapped twice", new ApplicationFailure("outer", new InvalidDataException("bad upload", BodyFailure)), true },
        { "the observed failure inside a cancellation", new OperationCanceledException("cancelled", BodyFailure), true },
        { "an equal failure of an onward connection", new ConnectionResetException("reset"), false },
        { "a stream reset of an onward call", new IOException("The client reset the request stream."), false },
        { "an onward socket failure", new HttpRequestException("failed", new SocketException(104)), false },
        { "the request's cancellation", new OperationCanceledException(Cancelled), true },
        { "a task's cancellation", new TaskCanceledException(), true },
        { "an HttpClient call cancelled with the token", Chain(new SocketException(125)), true },
        { "an HttpClient time-out", new TaskCanceledException("timeout", new TimeoutException("x", new TaskCanceledException())), false },
        { "a time-out that wraps a cancellation", new TimeoutException("slow", new OperationCanceledException(Cancelled)), false },
        { "a wrapped time-out", new ApplicationFailure("outer", new TaskCanceledException("timeout", new TimeoutException())), false },
        { "a body that came too slowly", new BadHttpRequestException("slow", 408), false },
        { "a body that is too large", new BadHttpRequestException("large", 413), false },
        { "headers that are too large", new BadHttpRequestException("headers", 431), false },
        { "a malformed chunk", new BadHttpRequestException("bad chunk", 400), false },
        { "PostgreSQL query_canceled", new SqlStateException("57014"), true },
        { "PostgreSQL unique_violation", new SqlStateException("23505"), false },
        { "MySQL query interrupted", new SqlStateException("70100"), true },
        { "SqlClient error 0", SqlException.WithNumber("0"), true },
        { "SqlClient deadlock", SqlException.WithNumber("1205"), false },
        { "SQLite interrupt", new SqliteException(9), true },
        { "SQLite constraint", new SqliteException(19), false },
        { "System.Data.SQLite interrupt", new SQLiteException(9), true },
        { "error code 9 of another provider", new OtherProviderException(9), false },
        { "a dropped WebSocket", new WebSocketException(WebSocketError.ConnectionClosedPrematurely), true },
        { "a WebSocket protocol error", new WebSocketException(WebSocketError.Faulted), false },
        { "a type the user taught", new RpcCancelledException(), true },
        { "an update that wraps a provider's cancellation", new DbUpdateException(new SqlStateException("57014")), true },
        { "an update that wraps a provider's failure", new DbUpdateException(new SqlStateException("23505")), false },
        { "cancellations together", new AggregateException(new TaskCanceledException(), new SqlStateException("57014")), true },
        { "a failure among cancellations", new AggregateException(new TaskCanceledException(), new InvalidOperationException()), false },
        { "an empty aggregate", new AggregateException(), false },
        { "a full disk", new IOException("disk", DiskFull), false },
        { "an invalid operation", new InvalidOperationException("Operation cancelled by user."), false },
        { "an invalid operation that wraps a cancellation", new InvalidOperationException("x", new TaskCanceledException()), true },
        { "a bug", new KeyNotFoundException(), false },
        { "validation", new ArgumentException("bad"), false },
    };

    [Theory]
    [MemberData(nameof(AfterTheAbort))]
    public void IsCausedByAbort_ThrownAfterTheAbort_JudgesByCause(string what, Exception exception, bool expected)
    {
        var facts = Facts(cancelledAt: Abort, thrownAt: Abort.AddTicks(1));

        Assert.True(expected == AbortClassifier.IsCausedByAbort(exception, facts), what);
    }

    [Theory]
    [MemberData(nameof(AfterTheAbort))]
    public void IsCausedByAbort_ThrownBeforeTheAbort_IsGenuineUnlessTheBodyBroke(string what, Exception exception, bool afterwards)
    {
        var live = new CancellationToken(canceled: false);
        var facts = Facts(cancelledAt: Abort, thrownAt: Abort.AddTicks(-1)) with { WorkToken = live, AbortToken = live };
        var expected = afterwards && what.StartsWith("the observed failure", StringComparison.Ordinal);

        Assert.True(expected == AbortClassifier.IsCausedByAbort(exception, facts), what);
    }

    [Theory]
    [MemberData(nameof(AfterTheAbort))]
    public void IsCausedByAbort_WithoutAbort_IsGenuineUnlessTheBodyBroke(string what, Exception exception, bool afterwards)
    {
        var live = new CancellationToken(canceled: false);
        var facts = Facts(cancelledAt: null, thrownAt: Abort) with { WorkToken = live, AbortToken = live };
        var expected = afterwards && what.StartsWith("the observed failure", StringComparison.Ordinal);

        Assert.True(expected == AbortClassifier.IsCausedByAbort(exception, facts), what);
    }

    [Fact]
    public void IsCausedByAbort_CancellationWithOurToken_NeedsNoTime()
    {
        using var work = new CancellationTokenSource();
        work.Cancel();
        var facts = Facts(cancelledAt: null, thrownAt: Abort) with { WorkToken = work.Token, AbortToken = work.Token };

        Assert.True(AbortClassifier.IsCausedByAbort(new OperationCanceledException(work.Token), facts));
        Assert.False(AbortClassifier.IsCausedByAbort(new OperationCanceledException(Cancelled), facts));
    }

    private static AbortFacts Facts(DateTimeOffset? cancelledAt, DateTimeOffset thrownAt) => new()
    {
        BodyFailures = [BodyFailure],
        WorkToken = Cancelled,
        AbortToken = Cancelled,
        CancelledAt = cancelledAt,
        ThrownAt = thrownAt,
        IsRecognizedCancellation = new ClientAbortOptions().RecognizeCancellation<RpcCancelledException>().IsRecognizedCancellation,
    };

    private static TaskCanceledException Chain(Exception innermost) =>
        new("outer", new TaskCanceledException("inner", new IOException("read", innermost)));

    private sealed class SqlStateException(string sqlState) : DbException
    {
        public override string SqlState => sqlState;
    }

    // The providers' own types, with what this package reads of them.
    private sealed class SqlException : DbException
    {
        public static SqlException WithNumber(string number)
        {
            var exception = new SqlException();
            exception.Data["HelpLink.EvtID"] = number;
            return exception;
        }
    }

    private sealed class SqliteException(int code) : DbException
    {
        public int SqliteErrorCode => code;
    }

    private sealed class SQLiteException(int code) : DbException
    {
        public override int ErrorCode => code;
    }

    private sealed class OtherProviderException(int code) : DbException
    {
        public override int ErrorCode => code;
    }

    private sealed class RpcCancelledException : Exception;

    private sealed class ApplicationFailure(string message, Exception inner) : Exception(message, inner);

    private sealed class DbUpdateException(Exception inner) : Exception("An error occurred while saving.", inner);
}
