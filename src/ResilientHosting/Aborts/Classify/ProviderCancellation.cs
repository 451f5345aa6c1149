using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Net.WebSockets;

namespace ResilientHosting.Aborts;

/// <summary>
/// Exceptions with which data providers report that an operation was cancelled. They are recognised without a reference to any
/// provider: by SQLSTATE where the provider has one, else by the type's name and the number it carries.
/// </summary>
internal static class ProviderCancellation
{
    private const int SqliteInterrupt = 9;

    public static bool Matches(Exception exception) => exception switch
    {
        // PostgreSQL and Db2: query_canceled. MySQL: ER_QUERY_INTERRUPTED. ODBC: operation canceled.
        DbException { SqlState: "57014" or "70100" or "HY008" } => true,
        DbException database => database.GetType().Name switch
        {
            // SqlClient stores the number of its first error under this key; 0 is "cancelled by user".
            "SqlException" => database.Data["HelpLink.EvtID"] is "0",

            // System.Data.SQLite passes SQLite's code on; Microsoft.Data.Sqlite has a property of its own.
            "SQLiteException" => database.ErrorCode == SqliteInterrupt,
            "SqliteException" => ReadSqliteErrorCode(database) == SqliteInterrupt,
            _ => false,
        },
        WebSocketException webSocket => webSocket.WebSocketErrorCode == WebSocketError.ConnectionClosedPrematurely,
        _ => false,
    };

    [UnconditionalSuppressMessage(
        "Trimming", "IL2075", Justification = "Where the property was trimmed away the exception stays unrecognised: a genuine error.")]
    private static int? ReadSqliteErrorCode(DbException exception) =>
        exception.GetType().GetProperty("SqliteErrorCode")?.GetValue(exception) as int?;
}
