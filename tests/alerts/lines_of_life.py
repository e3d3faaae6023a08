"""The lines of the table of life safety, and for each the tests that show it (`test_every_line.py` looks).

A test is named by its file below `tests/`, without `test_` and `.py`, and its own name without `test_`.
"""

from __future__ import annotations

from typing import Final

Lines = dict[str, tuple[str, ...]]

SMOKE: Final[Lines] = {
    "1 a true flag from any device, at any time, with any other fault, is P0 at once": (
        "rules/kernels/flag a_true_flag_raises_p0_at_once_and_says_why",
        "rules/kernels/flag a_true_flag_raises_whatever_else_is_wrong_with_the_reading",
        "rules/every_entry a_life_flag_alarms_however_late_it_comes",
        "ingest/decoding a_fire_in_a_message_that_is_too_long_is_heard_and_the_message_refused_once",
        "alerts/p0_story smoke_tells_the_table_at_once_by_push_and_nobody_else",
        "alerts/presence a_fire_leaves_nobody_out",
    ),
    "2 a second fire restarts from step 0 for all roles, whatever was acknowledged": (
        "rules/kernels/flag a_second_fire_after_a_minute_of_zero_raises_again",
        "rules/kernels/flag a_flap_shorter_than_a_minute_is_the_same_fire",
        "alerts/p0_story a_second_fire_restarts_from_step_zero_whatever_was_answered",
        "alerts/p0_story smoke_that_had_cleared_and_comes_back_is_a_second_fire",
        "alerts/p0_story smoke_from_another_device_much_later_is_a_second_fire_but_no_confirmation",
        "alerts/p0_story an_answer_handed_in_before_a_second_fire_does_not_silence_it",
        "alerts/put_back_story who_answered_the_first_fire_is_called_for_the_second",
    ),
    "3 up to 30 min old it alarms with its age, older it is a visit; retained and unknown is late smoke": (
        "rules/kernels/flag smoke_half_an_hour_old_is_still_p0_and_older_is_a_visit",
        "rules/kernels/flag retained_smoke_we_do_not_know_is_late_smoke_of_unknown_age",
        "alerts/p0_story late_smoke_up_to_30_min_alarms_marked_as_late",
        "alerts/p0_story smoke_of_unknown_age_says_so",
        "alerts/lesser_story old_smoke_opens_a_visit_for_the_grid_worker",
    ),
    "4 smoke of an unregistered device is P0 to the duty desk; without a desk a fault stands": (
        "rules/kernels/flag a_true_flag_of_a_device_nobody_registered_raises_too",
        "ingest/tick a_stranger_in_alarm_reaches_the_ledger_with_its_topic",
        "alerts/p0_story smoke_of_an_unknown_device_goes_to_the_duty_desk_with_topic_and_publisher",
        "alerts/standing a_registry_with_nobody_bound_has_both_faults_from_when_they_were_found",
        "gengfu/check_site what_is_missing_is_said",
    ),
    "5 a vendor's test bit alone diverts nothing: smoke that goes on is smoke": (
        "alerts/commissioning_story a_vendors_test_bit_alone_diverts_nothing",
    ),
    "5 a test report alone pages nobody": (
        "alerts/line_stories a_test_button_alone_is_no_alarm",
        "ingest/pressing a_press_raises_nothing_and_a_fire_in_the_same_tick_is_raised",
    ),
    "5 a test report opens a drill record, once": (
        "ingest/pressing a_press_is_on_record_with_beginning_receipt_and_end",
        "ingest/pressing any_chain_of_deaths_leaves_each_test_once",
        "ingest/device_tests a_replay_from_anywhere_ends_where_it_was",
        "e2e/detectors_tested a_press_is_on_record_once_whoever_dies_and_pages_nobody",
        "gengfu/exercised the_card_of_a_device_says_so",
    ),
    "5 only a window or a drill of ours diverts": (
        "alerts/commissioning_story an_alarm_of_a_device_being_commissioned_is_told_to_the_duty_desk_alone",
        "alerts/commissioning_story what_still_stands_when_commissioning_ends_is_a_fire_from_step_0",
        "alerts/drill_story what_still_stands_when_a_drill_ends_is_a_fire_from_step_0",
    ),
    "6 two independent devices in a dwelling or stair within 300 s confirm": (
        "rules/kernels/meeting a_second_device_of_a_dwelling_confirms_the_fire",
        "alerts/p0_plus_story two_detectors_of_one_dwelling_within_300_s_confirm",
        "alerts/p0_plus_story two_detectors_of_one_stair_within_300_s_confirm_both",
        "alerts/p0_plus_story smoke_in_another_stair_or_later_confirms_nothing",
    ),
    "6 a person's word confirms": ("alerts/p0_plus_story a_persons_confirmation_tells_the_brigade_at_once",),
    "6 smoke with an electrical alarm confirms, and says isolate first": (
        "alerts/p0_plus_story smoke_and_electrical_alarm_is_confirmed_and_says_isolate_first",
    ),
}
WHO_IS_TOLD: Final[Lines] = {
    "P0 at once: family, neighbours, grid worker, secretary, micro station, desk": (
        "alerts/p0_story smoke_tells_the_table_at_once_by_push_and_nobody_else",
    ),
    "P0 then: a call and the next in the chain after 60 s": (
        "alerts/p0_story after_60_s_the_silent_are_called_and_the_next_in_the_chain_is_told",
        "crash/kill_of_alerts thirty_escalations_survive_ten_kills",
    ),
    "P0 then: at 90 s unanswered to desk, station, supervisor; to a brigade that agreed only": (
        "alerts/p0_story at_90_s_nobody_has_confirmed_and_desk_station_and_supervisor_learn_it",
        "alerts/p0_story only_a_brigade_that_agreed_is_told_of_an_unconfirmed_alarm",
    ),
    "P0+: the brigade too, at once; residents every 2 min until somebody has arrived": (
        "alerts/p0_plus_story a_persons_confirmation_tells_the_brigade_at_once",
        "alerts/p0_plus_story residents_are_called_every_2_min_until_somebody_has_arrived",
    ),
    "P1: grid worker, secretary, family; 5 min secretary, 15 min supervisor": (
        "alerts/lesser_story an_overload_tells_grid_worker_secretary_and_family",
        "alerts/lesser_story after_5_min_the_secretary_and_after_15_the_supervisor",
    ),
    "P2: grid worker; after 2 h the secretary": (
        "alerts/lesser_story old_smoke_opens_a_visit_for_the_grid_worker",
        "alerts/line_stories a_visit_that_nobody_makes_is_the_secretarys_after_two_hours",
    ),
    "P3: nobody is paged; a daily digest to maintenance, then the weekly report": (
        "alerts/line_stories what_can_wait_wakes_nobody",
        "alerts/digest_story once_a_day_maintenance_is_told_of_what_can_wait",
        "alerts/digest_story each_keeper_hears_of_their_own_places_and_the_desk_of_the_rest",
        "alerts/digest_story a_kill_repeats_no_report_and_skips_none",
        "alerts/digest_story on_monday_the_week_is_told",
    ),
    "the brigade is reached through the confirm gate only": (
        "alerts/gate the_brigade_cannot_be_paged_without_leave",
        "alerts/gate only_p0_plus_confirms",
        "alerts/escalation_properties the_brigade_is_told_of_confirmed_fires_and_by_agreement_only",
    ),
    "no drill, test or commissioning window reaches a station: of the code path": (
        "alerts/gate an_exercise_gives_no_leave_at_all",
        "alerts/p0_plus_story no_exercise_reaches_a_station_whatever_happens",
    ),
    "P0 ignores quiet hours, silences, throttles and roll-ups": (
        "alerts/presence a_fire_leaves_nobody_out",
        "alerts/silence_story a_fire_is_told_at_once_whatever_is_silenced",
        "alerts/storm_story a_fire_in_the_storm_is_neither_held_nor_part_of_a_summary",
        "alerts/rollup what_is_urgent_never_waits",
    ),
    "30 % of every limit are for P0; over it the next way at once, and the first again": (
        "alerts/limits lesser_messages_leave_three_in_ten_to_urgent_ones",
        "alerts/sender a_fire_over_the_carriers_limit_goes_by_the_next_way_at_once_and_is_tried_again",
    ),
    "a silence mutes what is lesser": (
        "alerts/silence_story a_silence_puts_lesser_alarms_off_to_its_end_and_says_so_once",
    ),
    "a commissioning window diverts its own device, 30 min at most, to the desk": (
        "alerts/commissioning_story only_its_own_device_is_diverted",
        "alerts/commissioning_story cries_and_confirmations_in_commissioning_stay_on_the_duty_desk",
        "gengfu/window_commands a_device_is_commissioned_for_a_while_and_its_end_is_a_word",
    ),
}
WHO_MAY_END_IT: Final[Lines] = {
    "acknowledge: anyone bound; the steps of the own role only": (
        "alerts/p0_story an_acknowledgement_stops_the_steps_of_its_own_role_only",
        "alerts/ending_story who_is_not_bound_here_is_refused",
    ),
    "confirm: those of the table; P0+ and the brigade at once": (
        "alerts/p0_plus_story a_persons_confirmation_tells_the_brigade_at_once",
        "alerts/p0_plus_story who_is_not_in_the_table_cannot_confirm",
    ),
    "false alarm: own dwelling, grid worker, operator; it stays open": (
        "alerts/ending_story a_false_alarm_stops_the_chain_and_the_incident_stays_open",
        "alerts/ending_story nobody_else_may_call_a_false_alarm",
    ),
    "false alarm: stops nothing while a second device is in alarm": (
        "alerts/ending_story a_false_alarm_stops_nothing_while_a_second_device_is_in_alarm",
    ),
    "false alarm of a neighbour: a note": (
        "alerts/ending_story a_neighbours_false_alarm_is_a_note_and_stops_nothing",
    ),
    "arrived: stops S3 and calls to residents": (
        "alerts/ending_story arrived_stops_calls_to_residents_but_not_to_others",
        "alerts/ending_story who_is_no_helper_cannot_have_arrived",
        "alerts/p0_story arrived_confirm_and_false_alarm_stop_the_unanswered_step",
    ),
    "need help: next role now, in front on the operator's screen": (
        "alerts/ending_story help_goes_to_the_next_in_the_own_role_and_the_next_role_now",
        "alerts/views who_wants_help_stands_in_front",
    ),
    "feedback with a cause, a second person verifies, operator or supervisor closes; deadlines": (
        "alerts/lifecycle_story the_whole_way_from_alarm_to_close",
        "alerts/lifecycle_story whoever_fed_back_cannot_verify",
        "alerts/lifecycle_story only_operator_and_supervisor_close",
        "alerts/deadlines_story each_state_has_its_own_deadline_and_moving_on_ends_the_one_before",
    ),
    "reset: the operator's, or the flag's 0 for 10 min after close": (
        "alerts/lifecycle_story reset_is_the_operators_and_an_engine_input",
        "rules/kernels/flag a_closed_alarm_clears_after_ten_minutes_of_zero",
    ),
    "S3 stops on arrived, confirm or false alarm only": (
        "alerts/p0_story an_acknowledgement_does_not_stop_the_unanswered_step",
        "alerts/p0_story arrived_confirm_and_false_alarm_stop_the_unanswered_step",
    ),
}
TIME_AND_LINKS: Final[Lines] = {
    "a hold is of readings; time alone raises no value alarm": (
        "rules/kernels/threshold exactly_the_level_for_exactly_the_hold_raises",
        "rules/kernels/threshold time_alone_raises_nothing",
        "rules/kernels/threshold two_reports_far_apart_are_no_hold_but_three_in_a_row_are_and_say_so",
    ),
    "late readings are for flags only, and nothing waits for reordering": (
        "rules/every_entry what_nobody_should_judge_by_raises_nothing_and_breaks_nothing",
        "rules/kernels/flag late_smoke_raises_when_nothing_is_active",
    ),
    "offline: the device's own limit, its profile's, or 180 s for a heartbeat": (
        "rules/kernels/silence a_device_is_missed_after_its_limit_and_not_before_three_minutes",
        "rules/kernels/silence a_longer_limit_counts_for_both_alarms",
    ),
    "a link is of one contact and one incident, used often, ends 24 h after close": (
        "alerts/links a_link_ends_24_h_after_close",
        "alerts/links a_link_cannot_be_turned_to_another_incident_or_contact",
        "alerts/links an_altered_link_is_nothing",
        "console/answers/app a_link_ends_a_day_after_the_close",
    ),
    "looking changes nothing; a button posts": (
        "console/answers/app looking_changes_nothing_however_often",
        "console/answers/app one_tap_is_one_act_with_its_outcome_on_the_page",
    ),
}
ASKED_FOR_IN_VAIN: Final[Lines] = {
    "1 our restart is nobody's outage": (
        "rules/kernels/silence_away our_restart_is_not_their_outage",
        "rules/kernels/dark a_restart_of_ours_neither_raises_nor_clears_it",
    ),
    "2 what is active survives a restart, and is not told again": (
        "rules/standing smoke_stays_active_over_an_upgrade_and_the_alarm_of_its_place_ends_with_its_rule",
        "alerts/cleared_story a_clearing_that_comes_after_a_restart_of_alerts_finds_its_alarm",
    ),
    "3 answers survive a restart, and news wipes no note": (
        "alerts/escalation_properties a_crash_before_every_commit_changes_nothing",
        "crash/kill_of_alerts thirty_escalations_survive_ten_kills",
    ),
    "4 what is true at the start alarms, without an edge": (
        "rules/kernels/flag a_true_flag_raises_p0_at_once_and_says_why",
        "rules/kernels/flag retained_smoke_we_do_not_know_is_late_smoke_of_unknown_age",
    ),
    "5 one alarm, however close its messages come": (
        "alerts/p0_story the_same_alarm_heard_again_tells_nobody_again",
        "alerts/turn the_same_transition_stored_twice_is_one",
    ),
    "6 a reading at the moment of the offline alarm clears it": (
        "rules/kernels/silence three_moments_end_the_silence_of_one_that_reports_often",
        "alerts/cleared_story raise_and_clear_that_waited_for_one_turn_leave_the_alarm_cleared",
    ),
    "7 offline in time, and nobody falsely": (
        "rules/kernels/silence a_device_is_missed_after_its_limit_and_not_before_three_minutes",
        "rules/kernels/silence_gateways a_dead_gateway_is_one_alarm",
    ),
    "9 acknowledgement and words in the tool, for others to see": (
        "alerts/ending_story every_act_is_on_the_timeline_with_who_when_and_from_where",
    ),
    "10 escalation when nobody answers": (
        "alerts/p0_story after_60_s_the_silent_are_called_and_the_next_in_the_chain_is_told",
    ),
    "11 an answer stops what is pending, and wakes nobody again": (
        "alerts/p0_story an_acknowledgement_stops_the_steps_of_its_own_role_only",
        "alerts/undelivered_story who_has_answered_is_not_told_by_a_next_way",
        "alerts/outbox nobody_is_told_of_an_incident_after_it_was_closed",
    ),
    "12 a chain goes on after a kill": (
        "crash/kill_of_alerts thirty_escalations_survive_ten_kills",
        "alerts/p0_story steps_missed_while_we_were_away_are_done_once_and_the_rest_starts_from_our_return",
    ),
    "13 calls until somebody is reached, within the carrier's limits": (
        "alerts/p0_plus_story residents_are_called_every_2_min_until_somebody_has_arrived",
        "alerts/limits a_fire_asks_a_carrier_that_only_refuses_and_lesser_messages_wait",
    ),
    "14 who cannot be reached is known before the fire": (
        "alerts/standing a_device_outside_dwellings_with_nobody_to_tell_at_once_is_a_fault",
        "alerts/undelivered_story a_number_that_bounced_is_known_until_a_later_message_reaches_it",
        "devices/sheets/reach dwellings_that_lose_their_last_way_are_named",
    ),
    "15 answers by SMS and by the keys of a telephone": (
        "alerts/replies_story a_reply_is_an_act_of_its_sender",
        "alerts/replies_story a_key_in_a_call_is_an_act_and_stops_the_own_roles_steps",
    ),
    "16 what became of each message, by person and way": (
        "alerts/receipts_story a_message_climbs_from_accepted_to_delivered_to_read_and_the_timeline_counts_it",  # noqa: E501
        "console/incident each_message_shows_how_far_it_got_and_when",
        "alerts/all_but_one a_fire_goes_out_by_the_one_that_answers_while_all_others_hang",
    ),
    "17 one summary in a storm, and a fire beside it": (
        "alerts/storm_story beyond_its_number_a_minute_a_contact_gets_one_summary",
        "alerts/outage_storm two_thousand_devices_fall_silent_and_a_kitchen_burns",
    ),
    "18 a policy of an area holds there only": (
        "alerts/policies_story a_policy_of_an_area_holds_for_its_buildings_only",
        "alerts/views the_one_tap_page_is_for_those_concerned_only",
    ),
    "19 what cannot be read stops nothing": (
        "ingest/deadletters a_flood_of_strangers_is_written_in_few_statements_and_over_several_flushes",
        "alerts/turn a_transition_that_cannot_be_decided_stops_no_other_and_reaches_the_duty_desk",
        "e2e/outages smoke_at_qos_0_while_we_are_away_alarms_after_our_return",
    ),
    "20 the channels of China": (
        "alerts/channels/aliyun_sms an_sms_is_taken_with_the_template_filled_from_the_parts",
        "alerts/channels/tencent_sms one_number_can_be_asked_about_again_and_again",
    ),
}
"""What users of other systems ask for; two instances at once (8) are a later release's."""

TABLES: Final = (SMOKE, WHO_IS_TOLD, WHO_MAY_END_IT, TIME_AND_LINKS, ASKED_FOR_IN_VAIN)
